import { describe, expect } from 'vitest';
import { eventsOf, placed } from './support/events.js';
import { control } from './support/control.js';
import { test } from './support/place.js';
import type { Running } from './support/running.js';

/** Long enough for workers to come and go between the epochs: 12 steps each. */
const RUN = ['--batch', '250', '--epochs', '3', '--validation', '6000'];

/** The weights that one machine trains with these flags. */
async function reference(flags: readonly string[]): Promise<unknown> {
  return (await control(flags)).weightsSha256;
}

/**
 * Lets a process run for a few milliseconds now and then, until it ends or the returned function is
 * called. It rests for much less than the time after which others give it up.
 */
function slowDown(running: Running, restMs: number): () => void {
  let timer: NodeJS.Timeout;
  const rest = (): void => {
    running.signal('SIGSTOP');
    timer = setTimeout(work, restMs);
  };
  const work = (): void => {
    running.signal('SIGCONT');
    timer = setTimeout(rest, 20);
  };
  const stop = (): void => {
    clearTimeout(timer);
    running.signal('SIGCONT');
  };
  rest();
  running.ended.then(stop, stop);
  return stop;
}

describe('any fleet gives the weights of one machine', () => {
  test('no local thread and two workers', async ({ place }) => {
    const flags = ['--steps', '60', '--batch', '100', '--validation', '500'];
    const { running, url } = await place.coordinator([
      ...flags,
      '--threads',
      '0',
      '--workers',
      '2',
    ]);
    const workers = [place.worker(url), place.worker(url, ['--threads', '2'])];
    const result = await running.event('result');
    expect(result).toMatchObject({ workers: 2, threads: 0 });
    expect(result.weightsSha256).toBe(await reference(flags));
    for (const worker of workers) expect((await worker.ended).code).toBe(0);
    expect((await running.ended).code).toBe(0);
  });

  test('one local thread and three workers of different speed', async ({ place }) => {
    const flags = ['--steps', '60', '--model', 'lenet5-1998', '--optimizer', 'adam'];
    const { running, url } = await place.coordinator([
      ...flags,
      '--threads',
      '1',
      '--workers',
      '3',
    ]);
    const workers = [
      place.worker(url, ['--name', 'slow']),
      place.worker(url, ['--name', 'one']),
      place.worker(url, ['--name', 'two', '--threads', '2']),
    ];
    await running.event('worker', ({ name, action }) => name === 'slow' && action === 'joined');
    if (workers[0]) slowDown(workers[0], 40);
    const result = await running.event('result');
    expect(result).toMatchObject({ workers: 3, threads: 1 });
    expect(result.weightsSha256).toBe(await reference(flags));
    for (const worker of workers) expect((await worker.ended).code).toBe(0);
  });

  test('a batch of many micro-batches, of which some have the middle ones', async ({ place }) => {
    const flags = ['--steps', '2', '--batch', '4100'];
    const fleet = ['--threads', '1', '--workers', '2'];
    const { running, url } = await place.coordinator([...flags, ...fleet]);
    const workers = [place.worker(url), place.worker(url)];
    const result = await running.event('result');
    expect(result.weightsSha256).toBe(await reference(flags));
    for (const worker of workers) expect((await worker.ended).code).toBe(0);
  });

  for (const threads of ['0', '1']) {
    test(`${threads} local threads, a worker killed in mid-run and one that joins late`, async ({
      place,
    }) => {
      const { running, url } = await place.coordinator([
        ...[...RUN, '--threads', threads, '--workers', '2'],
      ]);
      const victim = place.worker(url, ['--name', 'victim']);
      const stayer = place.worker(url, ['--name', 'stayer']);
      await running.event('epoch', ({ epoch }) => epoch === 1);
      // So that the newcomer need not hurry.
      const hurry = slowDown(running, 150);
      expect(victim.signal('SIGKILL'), 'the victim still ran').toBe(true);
      const left = await running.event('worker', ({ action }) => action === 'left');
      expect(left).toMatchObject({ name: 'victim' });
      const late = place.worker(url, ['--name', 'late']);
      const joined = await running.event('worker', ({ name }) => name === 'late');
      expect(joined).toMatchObject({ action: 'joined', workers: 2 });
      hurry();

      const result = await running.event('result');
      expect((await victim.ended).signal).toBe('SIGKILL');
      for (const worker of [stayer, late]) expect((await worker.ended).code).toBe(0);
      const ended = await running.ended;
      expect(ended.code).toBe(0);

      const epochs = placed(eventsOf(ended), 'epoch');
      const changes = placed(eventsOf(ended), 'worker')
        .filter(({ event }) => event.action === 'joined' || event.action === 'left')
        .slice(2);
      expect(changes.map(({ event }) => [event.action, event.name])).toEqual([
        ['left', 'victim'],
        ['joined', 'late'],
      ]);
      for (const { at } of changes) {
        expect(at, 'after the first epoch').toBeGreaterThan(epochs[0]?.at ?? Infinity);
        expect(at, 'before the last epoch ended').toBeLessThan(epochs[2]?.at ?? -1);
      }
      // The late one may be a spare until the end.
      expect([2, 3]).toContain(result.workers);
      expect(result).toMatchObject({ steps: 36, samples: 9_000 });
      expect(result.weightsSha256).toBe(await reference(RUN));
    });
  }

  test('the only worker is killed: the run waits for another and goes on', async ({ place }) => {
    const { running, url } = await place.coordinator([...RUN, '--threads', '0']);
    const victim = place.worker(url);
    await running.event('epoch', ({ epoch }) => epoch === 1);
    expect(victim.signal('SIGKILL'), 'the victim still ran').toBe(true);
    await running.line(/goes on when a worker joins/, 'stderr');
    const next = place.worker(url);
    const result = await running.event('result');
    expect(result).toMatchObject({ workers: 2, steps: 36, samples: 9_000 });
    expect(result.weightsSha256).toBe(await reference(RUN));
    expect((await next.ended).code).toBe(0);
  });
});
