import { expect } from 'vitest';
import { control } from './support/control.js';
import { eventsOf } from './support/events.js';
import { test } from './support/place.js';
import type { Running } from './support/running.js';

/** Four steps an epoch, until it is stopped: the weights after a step do not depend on when. */
const ENDLESS = [
  ...['--batch', '1000', '--validation', '5000', '--epochs', '10000', '--seed', '95'],
  ...['--schedule', 'constant', '--warmup', '0', '--lr', '0.01'],
];

/** Waits until a whole epoch is over that began later than now. */
async function wholeEpoch(coordinator: Running): Promise<void> {
  const begun = coordinator.count('epoch') + 1;
  await coordinator.event('epoch', ({ epoch }) => Number(epoch) > begun);
}

test('1, then 8, then 2, then 5 workers: no step is lost or taken twice', async ({ place }) => {
  const { running, url } = await place.coordinator([...ENDLESS, '--threads', '0']);
  const members = new Map<string, Running>();
  /** Adds workers, and waits until they are there and have had an epoch to take part in. */
  const add = async (...names: readonly string[]): Promise<void> => {
    for (const name of names) {
      members.set(name, place.worker(url, ['--name', name, '--patience', '0s']));
    }
    for (const each of names) {
      await running.event('worker', ({ action, name }) => action === 'joined' && name === each);
    }
    await wholeEpoch(running);
  };
  /** Ends workers: those of even places in order, the others at once. */
  const remove = async (...names: readonly string[]): Promise<void> => {
    for (const [index, name] of names.entries()) {
      expect(members.get(name)?.signal(index % 2 === 0 ? 'SIGTERM' : 'SIGKILL'), name).toBe(true);
      members.delete(name);
    }
    for (const each of names) {
      await running.event('worker', ({ action, name }) => action === 'left' && name === each);
    }
    await wholeEpoch(running);
  };
  await add('a');
  await add('b', 'c', 'd', 'e', 'f', 'g', 'h');
  await remove('a', 'b', 'c', 'd', 'e', 'f');
  await add('i', 'j', 'k');
  expect(running.signal('SIGTERM')).toBe(true);
  const result = await running.event('result');
  const ended = await running.ended;
  expect(ended.code).toBe(0);
  for (const worker of members.values()) expect((await worker.ended).code).toBe(0);

  const sizes: number[] = [];
  const present = new Set<unknown>();
  for (const { event, action, name } of eventsOf(ended)) {
    if (event === 'worker' && action === 'joined') present.add(name);
    else if (event === 'worker' && action === 'left') present.delete(name);
    else if (event === 'epoch' && present.size !== sizes.at(-1)) sizes.push(present.size);
  }
  const missing = [1, 8, 2, 5];
  for (const size of sizes) if (size === missing[0]) missing.shift();
  expect(missing, `sizes at the ends of epochs: ${sizes.join(', ')}`).toEqual([]);
  const { steps, samples, weightsSha256, workers } = result;
  expect(samples, 'each step has a whole batch').toBe(Number(steps) * 1000);
  expect(workers, 'newcomers took part').toBeGreaterThan(1);
  const alone = await control([...ENDLESS, '--steps', String(steps)]);
  expect(weightsSha256).toBe(alone.weightsSha256);
});
