import { expect } from 'vitest';
import { pieceBytes } from '../../src/protocol/protocol.js';
import { Reduction } from '../../src/reduce/reduction.js';
import { coveringNodes } from '../../src/reduce/tree.js';
import { FakeCoordinator } from './support/peers.js';
import { test } from './support/place.js';
import { tinyRun } from './support/tiny-run.js';

/** Micro-batches of the batch. */
const LEAVES = 512;

/** Cuts of the batch, some of which take many pieces. */
const cuts: readonly (readonly number[])[] = [
  [0, LEAVES],
  [0, 1, LEAVES - 1, LEAVES],
  [0, 171, 341, LEAVES],
  [0, 255, 257, LEAVES],
];

for (const threads of [1, 3]) {
  test(`a worker of ${threads} threads computes any range, and every cut has the same sum`, async ({
    place,
  }) => {
    const run = await tinyRun(LEAVES * 8);
    const fake = await FakeCoordinator.listen((_, response) => {
      response.end(run.shard);
    });
    const worker = place.start(['worker', fake.url, '--threads', String(threads)]);
    expect((await fake.next()).message).toMatchObject({ type: 'hello', threads });
    fake.say(run.welcome, run.module);
    expect((await fake.next()).message.type).toBe('ready');
    fake.say({ type: 'weights', step: 0 }, run.weights);

    const bytes = pieceBytes(run.parameters);
    const sums: Buffer[] = [];
    for (const cut of cuts) {
      const reduction = new Reduction<Float32Array>(LEAVES, (left, right) =>
        left.map((value, index) => value + (right[index] ?? NaN)),
      );
      for (const [index, last] of cut.slice(1).entries()) {
        const first = cut[index] ?? 0;
        fake.say({ type: 'work', step: 0, first, last });
        const { message, payload } = await fake.next();
        expect(message).toMatchObject({ type: 'pieces', step: 0, first, last });
        const nodes = coveringNodes(first, last, LEAVES);
        expect(payload).toHaveLength(nodes.length * bytes);
        for (const [at, node] of nodes.entries()) {
          const copy = Uint8Array.from(payload.subarray(at * bytes, (at + 1) * bytes));
          reduction.take(node, new Float32Array(copy.buffer));
        }
      }
      sums.push(Buffer.from(reduction.root?.slice().buffer ?? new ArrayBuffer(0)));
    }
    for (const sum of sums.slice(1)) expect(sum.equals(sums[0] ?? sum)).toBe(true);
    expect(sums[0]).toHaveLength(bytes);

    fake.say({ type: 'done', outcome: 'complete' });
    expect((await worker.ended).code).toBe(0);
    await fake.close();
  });
}
