import { describe, expect } from 'vitest';
import { test } from './support/place.js';

/** Every case trains with one thread and with others, and must give the same weights. */
const cases: readonly { title: string; flags: readonly string[]; threads: readonly number[] }[] = [
  { title: 'lenet5', flags: ['--steps', '30'], threads: [2, 3, 5] },
  {
    title: 'a batch that no micro-batch divides, a validation split, adam',
    flags: ['--steps', '20', '--batch', '100', '--validation', '500', '--optimizer', 'adam'],
    threads: [3],
  },
  {
    title: 'a batch smaller than the threads',
    flags: ['--steps', '30', '--batch', '3'],
    threads: [5],
  },
  {
    title: 'a short last batch of an epoch',
    flags: ['--steps', '3', '--batch', '3001'],
    threads: [3],
  },
  {
    title: 'lenet5-1998, adamw with weight decay, steps in the rate',
    flags: [
      ...['--steps', '20', '--model', 'lenet5-1998', '--optimizer', 'adamw'],
      ...['--weight-decay', '0.01', '--schedule', 'step'],
    ],
    threads: [2],
  },
];

describe.concurrent('any number of threads gives the same weights', () => {
  for (const { title, flags, threads } of cases) {
    test(title, async ({ place }) => {
      const train = async (count: number): Promise<unknown> => {
        const result = await place.result(['train', ...flags, '--threads', String(count)]);
        expect(result.threads).toBe(count);
        return result.weightsSha256;
      };
      const one = await train(1);
      for (const count of threads) expect(await train(count), `${count} threads`).toBe(one);
    });
  }
});

describe.concurrent('the weights follow from the settings', () => {
  test('another seed gives others', async ({ place }) => {
    const first = await place.result(['train', '--steps', '5', '--seed', '1']);
    const second = await place.result(['train', '--steps', '5', '--seed', '2']);
    expect(second.weightsSha256).not.toBe(first.weightsSha256);
  });
});
