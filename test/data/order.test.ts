import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochOrder, holdOut } from '../../src/data/order.js';

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** A training split, and a number of its samples to hold out that leaves some to train on. */
const splits = fc
  .record({
    seed: seeds,
    samples: fc.integer({ min: 1, max: 500 }),
    part: fc.double({ min: 0, max: 0.999, noNaN: true }),
  })
  .map(({ seed, samples, part }) => ({ seed, samples, validation: Math.floor(samples * part) }));

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function sorted(values: Iterable<number>): number[] {
  return [...values].sort((a, b) => a - b);
}

describe('holdOut', () => {
  test('cuts the samples in two, each of them in one part', () => {
    fc.assert(
      fc.property(splits, (split) => {
        const { training, validation } = holdOut(split);
        expect(validation).toHaveLength(split.validation);
        expect(sorted([...training, ...validation])).toEqual(numbers(split.samples));
      }),
    );
  });

  test('keeps the order of the samples if none is held out', () => {
    expect([...holdOut({ seed: 7, samples: 20, validation: 0 }).training]).toEqual(numbers(20));
  });

  test('draws the same samples for the same seed, and others for another', () => {
    const drawn = (seed: number) =>
      sorted(holdOut({ seed, samples: 1000, validation: 50 }).validation);
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
  });

  test('draws from the whole split, in proportion', () => {
    const { validation } = holdOut({ seed: 3, samples: 60_000, validation: 6000 });
    for (let tenth = 0; tenth < 10; tenth++) {
      const here = validation.filter((sample) => Math.floor(sample / 6000) === tenth).length;
      // 600 with a standard deviation of 22.
      expect(here, `held out of tenth ${tenth}`).toBeGreaterThan(480);
      expect(here, `held out of tenth ${tenth}`).toBeLessThan(720);
    }
  });
});

describe('epochOrder', () => {
  test('has every training sample once in every epoch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        seeds,
        fc.nat({ max: 9_999 }),
        (count, seed, epoch) => {
          const order = numbers(count).map(epochOrder(count, seed, epoch));
          expect(sorted(order)).toEqual(numbers(count));
        },
      ),
    );
  });

  test('is another one in each epoch and for each seed', () => {
    const orders = [0, 1, 2, 3].flatMap((epoch) =>
      [0, 1, 2].map((seed) => String(numbers(100).map(epochOrder(100, seed, epoch)))),
    );
    expect(new Set(orders).size).toBe(orders.length);
  });
});
