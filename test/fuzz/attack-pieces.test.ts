import { describe, expect } from 'vitest';
import { bytesOf, type Knowledge, payloadOf, PIECE } from './hostile-pieces.js';
import type { CutOff, HostileWorker } from './hostile-worker.js';
import { hello, leave, pieces, ready } from './messages.js';
import { MICRO_BATCHES, STEPS, STEPS_BEFORE, test } from './siege.js';
import { within } from './within.js';

const ALL: Knowledge = {
  totalSteps: STEPS,
  microBatches: MICRO_BATCHES,
  work: { step: STEPS_BEFORE, first: 0, last: MICRO_BATCHES },
  answers: [],
};

/** Pieces that would be taken if anybody had asked for them, and would spoil the run. */
function lie(worker: HostileWorker, step: number, first = 0, last = MICRO_BATCHES): void {
  worker.say(pieces(step, first, last), bytesOf(payloadOf(ALL, first, last, 0.5)));
}

/** Answers whatever it is asked with the same value all over, until that ends the connection. */
async function answerWith(value: number, worker: HostileWorker): Promise<number> {
  let answers = 0;
  for (let work = await worker.nextWork(); work; work = await worker.nextWork()) {
    const { step, first, last } = work;
    worker.say(pieces(step, first, last), bytesOf(payloadOf(ALL, first, last, value)));
    answers += 1;
  }
  return answers;
}

describe.concurrent('answers that nobody may count:', () => {
  test('pieces that are not a number, or infinite', async ({ siege }) => {
    for (const [value, steps] of [
      [NaN, STEPS - 4],
      [Infinity, STEPS - 1],
    ] as const) {
      const name = `liar-${value}`;
      const worker = await siege.worker();
      worker.join(name);
      await worker.heard();
      const answering = answerWith(value, worker);
      // So that there is work for it.
      siege.turnstile.allow(steps);
      const { code, reason } = await within(worker.cutOff, `the end of ${name}`);
      expect(await answering, name).toBeGreaterThan(0);
      expect(code, name).toBe(1008);
      expect(reason, name).toMatch(/not finite/);
      const left = await siege.coordinator.event('worker', (event) => {
        return event.name === name && event.action === 'left';
      });
      expect(left).toMatchObject({ reason });
    }
    await siege.expectUnharmed();
  });

  test('pieces of the wrong size, and of ranges that there are not', async ({ siege }) => {
    for (const size of [0, 4, PIECE - 4, PIECE - 1, PIECE + 1, PIECE + 4, 4 * PIECE]) {
      const worker = await siege.worker();
      worker.join();
      worker.say(pieces(STEPS_BEFORE, 0, MICRO_BATCHES), new Uint8Array(size));
      const { code, reason } = await worker.cutOff;
      expect(code, `${size} bytes`).toBe(1008);
      expect(reason, `${size} bytes`).toMatch(/wrong size/);
    }
    for (const [first, last] of [
      [0, 0],
      [5, 4],
      [0, MICRO_BATCHES + 1],
      [2 ** 32 - 1, 2 ** 32 - 1],
      [0, 2 ** 32 - 1],
    ] as const) {
      const worker = await siege.worker();
      worker.join();
      worker.say(pieces(STEPS_BEFORE, first, last), new Uint8Array(PIECE));
      const { code, reason } = await worker.cutOff;
      expect(code, `${first} to ${last}`).toBe(1008);
      expect(reason, `${first} to ${last}`).toMatch(/impossible range/);
    }
    await siege.expectUnharmed();
  });

  test('pieces of steps that are over or still to come, and of the ranges of others', async ({
    siege,
  }) => {
    const worker = await siege.worker();
    worker.join('early');
    const work = await within(worker.nextWork(), 'work for the early one');
    const steps = [0, STEPS_BEFORE - 1, STEPS_BEFORE + 1, STEPS - 1, STEPS, 2 ** 31, 2 ** 32 - 1];
    for (const step of steps) lie(worker, step);
    for (let first = 0; first < MICRO_BATCHES; first++) {
      const last = work?.first === first ? work.last + 1 : MICRO_BATCHES;
      lie(worker, STEPS_BEFORE, first, last);
    }
    await worker.heard();
    expect(worker.sent - 2, 'pieces that were sent').toBe(steps.length + MICRO_BATCHES);
    expect(worker.isOver, 'it was heard to its end').toBe(false);
    worker.close();
    await siege.expectUnharmed();
  });

  test('answers that nobody asked for, without end', async ({ siege }) => {
    const worker = await siege.worker();
    worker.join('chatterbox');
    await worker.heard();
    const before = siege.megabytes;
    // Many more than any limit should allow, and none after the end.
    for (let sent = 0; sent < 2_000 && !worker.isOver; sent += 50) {
      for (let index = 0; index < 50; index++) lie(worker, 0, 0, 1 + (index % MICRO_BATCHES));
      await worker.heard();
    }
    expect(siege.megabytes - before, 'they are not kept').toBeLessThan(64);
    expect(worker.isOver, 'it was cut off').toBe(true);
    const { code, reason } = await worker.cutOff;
    expect({ code, reason }).toEqual({ code: 1008, reason: expect.any(String) as string });
    await siege.expectUnharmed();
  });

  test('answers of strangers, of the half-introduced and of those who have left', async ({
    siege,
  }) => {
    const said: readonly (readonly [CutOff['code'], Parameters<HostileWorker['say']>[0][]])[] = [
      [1008, []],
      [1008, [hello('hostile')]],
      [1000, [hello('hostile'), ready, leave]],
    ];
    for (const [code, messages] of said) {
      const worker = await siege.worker();
      for (const message of messages) worker.say(message);
      for (let step = 0; step < STEPS; step++) lie(worker, step);
      expect((await worker.cutOff).code, `after ${messages.length} messages`).toBe(code);
    }
    await siege.expectUnharmed();
  });

  test('true answers twice, and replayed by another worker', async ({ siege }) => {
    const { turnstile } = siege;
    const replayer = await siege.worker();
    replayer.join('replayer');
    await replayer.heard();
    expect(turnstile.answers).toHaveLength(STEPS_BEFORE);
    for (const answer of turnstile.answers) replayer.send(answer);
    await replayer.heard();
    expect(replayer.isOver, 'what it said is true').toBe(false);
    replayer.close();

    turnstile.copies = 2;
    const { result } = await siege.expectUnharmed();
    expect(turnstile.duplicates, 'answers that came twice').toBeGreaterThan(STEPS / 2);
    expect(result).toMatchObject({ steps: STEPS });
  });

  test("another worker's name", async ({ siege }) => {
    const impostor = await siege.worker();
    impostor.join('honest');
    const joined = ({ name, workers }: Readonly<Record<string, unknown>>): boolean =>
      name === 'honest' && workers === 2;
    await siege.coordinator.event('worker', joined);
    impostor.say(leave);
    expect((await impostor.cutOff).code).toBe(1000);
    await siege.coordinator.event('worker', ({ action }) => action === 'left');
    const { stdout } = await siege.expectUnharmed();
    expect(stdout.match(/"left"/g), 'the honest one stayed').toHaveLength(1);
  });
});
