import { expect } from 'vitest';
import { test } from './support/place.js';

/** Weights that do not depend on how many steps there are in all. */
const FLAGS = ['--epochs', '10000', '--schedule', 'constant', '--warmup', '0', '--lr', '0.01'];

test('1, 8, 2, 5 workers: the weights of one thread alone', async ({ place }) => {
  const { running, url } = await place.coordinator([...FLAGS, '--threads', '0', '--out', 'run']);
  const start = (count: number) =>
    Array.from({ length: count }, () => place.worker(url, ['--patience', '0s']));
  const there = (count: number, action: string) =>
    running.event('worker', (event) => event.workers === count && event.action === action);
  const first = start(1);
  await there(1, 'joined');
  const more = start(7);
  await there(8, 'joined');
  for (const worker of [...first, ...more.slice(1, 6)]) worker.signal('SIGKILL');
  await there(2, 'left');
  start(3);
  await there(5, 'joined');
  await running.event('epoch');
  running.signal('SIGTERM');
  const { steps, weightsSha256 } = await running.event('result');
  expect(steps).toBeGreaterThan(100);
  const control = ['train', ...FLAGS, '--steps', String(steps), '--out', 'control'];
  expect((await place.result(control)).weightsSha256).toBe(weightsSha256);
});
