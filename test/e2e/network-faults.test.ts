import { describe, expect } from 'vitest';
import { expectAsIfUndisturbed } from './support/control.js';
import { eventsOf } from './support/events.js';
import { test } from './support/place.js';
import type { Ended } from './support/running.js';

const RUN = ['--steps', '30', '--batch', '64', '--seed', '51'];
const REMOTE = ['--threads', '0'];

/** What the workers of a run did, in words. */
function actions(ended: Ended): string[] {
  return eventsOf(ended).flatMap(({ event, action }) => (event === 'worker' ? String(action) : []));
}

describe.concurrent('the connection', () => {
  for (const how of ['in order', 'reset'] as const) {
    test(`ends (${how}) in the middle of each kind of message: the worker joins again`, async ({
      place,
    }) => {
      const { running, url } = await place.coordinator([...RUN, ...REMOTE]);
      const proxy = await place.proxy(url);
      let next = proxy.hold('hello');
      const worker = place.worker(proxy.url);
      const cuts = [['welcome'], ['ready'], ['weights', 5], ['work', 10], ['pieces', 15]] as const;
      for (const [type, step] of [...cuts, [undefined]] as const) {
        const held = await next;
        expect(await held.half()).toBeGreaterThan(0);
        expect(proxy.cut(how), held.type).toBeGreaterThan(0);
        if (type !== undefined) next = proxy.hold(type, step);
      }
      await expectAsIfUndisturbed(await running.event('result'), RUN);
      expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
      const ended = await running.ended;
      expect(ended.code).toBe(0);
      const again = ['left', 'joined'];
      expect(actions(ended)).toEqual(['joined', ...again, ...again, ...again]);
      expect(proxy.count('upgrade')).toBe(7);
    });
  }

  test('ends, and cannot be made again for a while', async ({ place }) => {
    const { running, url } = await place.coordinator([...RUN, ...REMOTE]);
    const proxy = await place.proxy(url);
    const caught = proxy.hold('pieces', 12);
    const worker = place.worker(proxy.url);
    await caught;
    proxy.refuse(true);
    expect(proxy.cut()).toBeGreaterThan(0);
    await running.line(/goes on when a worker joins/, 'stderr');
    for (let tries = 0; tries < 3; tries++) await proxy.pass('refusal');
    proxy.refuse(false);
    await expectAsIfUndisturbed(await running.event('result'), RUN);
    const { code, stdout } = await worker.ended;
    expect(code).toBe(0);
    expect(stdout.match(/was lost/g), 'it says so once').toHaveLength(1);
  });

  test('brings an answer twice: it counts once', async ({ place }) => {
    const { running, url } = await place.coordinator([...RUN, ...REMOTE]);
    const proxy = await place.proxy(url);
    let next = proxy.hold('pieces', 5);
    const worker = place.worker(proxy.url);
    for (const step of [6, 20]) {
      (await next).twice();
      next = proxy.hold('pieces', step);
    }
    (await next).release();
    const result = await running.event('result');
    await expectAsIfUndisturbed(result, RUN);
    expect(result.refusedAnswers).toBe(2);
    expect((await worker.ended).code).toBe(0);
  });

  test('brings work twice: the worker does it twice, and it counts once', async ({ place }) => {
    const { running, url } = await place.coordinator([...RUN, ...REMOTE]);
    const proxy = await place.proxy(url);
    const work = proxy.hold('work', 5);
    const worker = place.worker(proxy.url);
    (await work).twice();
    const result = await running.event('result');
    await expectAsIfUndisturbed(result, RUN);
    expect(proxy.count('pieces', 5)).toBe(2);
    expect(result.refusedAnswers).toBe(1);
    expect((await worker.ended).code).toBe(0);
  });

  test('holds an answer up until others have given it: it does not count', async ({ place }) => {
    const { running, url } = await place.coordinator([...RUN, ...REMOTE, '--workers', '2']);
    const [slow, fast] = [await place.proxy(url), await place.proxy(url)];
    const answer = slow.hold('pieces');
    const workers = [place.worker(slow.url, ['--name', 'slow']), place.worker(fast.url)];
    const passAnswer = (await answer).aside();
    const later = await fast.hold('pieces', 25);
    expect(slow.count('pieces', 0), 'others gave it').toBe(0);
    passAnswer();
    // It answers for the one that is held now: this comes after its late answer, on the same way.
    await slow.pass('pieces', 25);
    later.release();
    const result = await running.event('result');
    await expectAsIfUndisturbed(result, RUN);
    expect(Number(result.refusedAnswers)).toBeGreaterThan(0);
    for (const worker of workers) expect((await worker.ended).code).toBe(0);
  });
});
