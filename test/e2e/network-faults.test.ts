import { describe, expect } from 'vitest';
import { expectAsIfUndisturbed } from './support/control.js';
import { test } from './support/place.js';

const FLAGS = ['--steps', '40'];
const RUN = ['--threads', '0', '--workers', '1', '--out', 'run'];

describe.concurrent('a connection', () => {
  test.for(['in order', 'reset'] as const)(
    'that is cut %s: the worker comes back by itself',
    async (how, { place }) => {
      const { running, url } = await place.coordinator([...FLAGS, ...RUN]);
      const proxy = await place.proxy(url);
      const worker = place.worker(proxy.url);
      await proxy.hold('pieces', 10);
      expect(proxy.cut(how)).toBeGreaterThanOrEqual(1);
      await running.event('worker', ({ action }) => action === 'left');
      await expectAsIfUndisturbed(await running.event('result'), FLAGS);
      expect((await worker.ended).code).toBe(0);
    },
  );

  test.for([
    ['in both directions', ['worker', 'coordinator']],
    ["from the worker's side", ['worker']],
  ] as const)(
    'that stands still %s for a while: the worker is lost, and then back',
    async ([, sides], { place }) => {
      const { running, url } = await place.coordinator([...FLAGS, ...RUN]);
      const proxy = await place.proxy(url);
      place.worker(proxy.url);
      const held = await proxy.hold('pieces', 10);
      held.release();
      proxy.stall(...sides);
      const lost = await running.event('worker', ({ action }) => action === 'lost');
      expect(lost.reason).toMatch(/silent/);
      expect(proxy.keptBack(sides.at(-1) ?? 'worker')).toBeGreaterThan(0);
      proxy.mend();
      await running.event('worker', ({ action }) => action === 'back');
      await expectAsIfUndisturbed(await running.event('result'), FLAGS);
    },
  );

  test('that loses everything and stays open: cut after 10 s; others do the work', async ({
    place,
  }) => {
    const { running, url } = await place.coordinator([...FLAGS, ...RUN]);
    const proxy = await place.proxy(url);
    const worker = place.worker(proxy.url);
    await proxy.hold('pieces', 10);
    proxy.lose('worker', 'coordinator');
    await running.event('worker', ({ action }) => action === 'lost');
    const left = await running.event('worker', ({ action }) => action === 'left');
    expect(left.reason).toMatch(/silent for 10 s/);
    await expectAsIfUndisturbed(await running.event('result'), FLAGS);
    expect((await worker.ended).code).toBe(0);
  });

  test('that brings an answer twice: it is counted once', async ({ place }) => {
    const { running, url } = await place.coordinator([...FLAGS, ...RUN]);
    const proxy = await place.proxy(url);
    place.worker(proxy.url);
    const held = await proxy.hold('pieces', 10);
    held.twice();
    const result = await running.event('result');
    expect(result.refusedAnswers).toBeGreaterThanOrEqual(1);
    await expectAsIfUndisturbed(result, FLAGS);
  });
});
