import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchOf, microBatchesOf, stepsPerEpoch } from '../../src/data/batches.js';
import { epochOrder, holdOut } from '../../src/data/order.js';

const plans = fc.record({
  samples: fc.integer({ min: 1, max: 400 }),
  batch: fc.integer({ min: 1, max: 500 }),
});

describe('an epoch', () => {
  test('is cut into full batches and a last one with the rest', () => {
    fc.assert(
      fc.property(plans, fc.nat({ max: 50 }), (plan, epoch) => {
        const steps = stepsPerEpoch(plan);
        let next = 0;
        for (let step = epoch * steps; step < (epoch + 1) * steps; step++) {
          const batch = batchOf(plan, step);
          const last = step === (epoch + 1) * steps - 1;
          expect(batch.epoch).toBe(epoch);
          expect(batch.first).toBe(next);
          if (last) expect(batch.samples).toBeLessThanOrEqual(plan.batch);
          else expect(batch.samples).toBe(plan.batch);
          expect(batch.samples).toBeGreaterThan(0);
          next += batch.samples;
        }
        expect(next).toBe(plan.samples);
      }),
    );
  });

  test('trains on every sample that is not held out exactly once', () => {
    const settings = fc.record({
      seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      samples: fc.integer({ min: 2, max: 300 }),
      batch: fc.integer({ min: 1, max: 100 }),
      part: fc.integer({ min: 0, max: 99 }),
      epoch: fc.nat({ max: 20 }),
    });
    fc.assert(
      fc.property(settings, ({ seed, samples, batch, part, epoch }) => {
        const validation = Math.floor((samples * part) / 100);
        const lists = holdOut({ seed, samples, validation });
        const plan = { samples: lists.training.length, batch };
        const order = epochOrder(plan.samples, seed, epoch);
        const times = new Array<number>(samples).fill(0);
        const steps = stepsPerEpoch(plan);
        for (let step = epoch * steps; step < (epoch + 1) * steps; step++) {
          const { first, samples: count } = batchOf(plan, step);
          for (let place = first; place < first + count; place++) {
            const sample = lists.training[order(place)] ?? NaN;
            times[sample] = (times[sample] ?? NaN) + 1;
          }
        }
        const heldOut = new Set(lists.validation);
        expect(times).toEqual(times.map((_, sample) => (heldOut.has(sample) ? 0 : 1)));
      }),
    );
  });
});

test('MNIST in batches of 64 has 938 steps, the last with 32 samples in 4 micro-batches', () => {
  const plan = { samples: 60_000, batch: 64 };
  expect(stepsPerEpoch(plan)).toBe(938);
  expect(batchOf(plan, 936)).toEqual({ epoch: 0, first: 59_904, samples: 64, microBatches: 8 });
  expect(batchOf(plan, 937)).toEqual({ epoch: 0, first: 59_968, samples: 32, microBatches: 4 });
  expect(batchOf(plan, 938)).toEqual({ epoch: 1, first: 0, samples: 64, microBatches: 8 });
});

test('a micro-batch has 8 samples, and the last one what is left', () => {
  expect([1, 7, 8, 9, 16, 17, 60_000].map(microBatchesOf)).toEqual([1, 1, 1, 2, 2, 3, 7500]);
});

test('a batch that is larger than the epoch is the whole epoch', () => {
  const plan = { samples: 10, batch: 64 };
  expect(batchOf(plan, 3)).toEqual({ epoch: 3, first: 0, samples: 10, microBatches: 2 });
});

test('steps are counted exactly far beyond any run', () => {
  const plan = { samples: 60_000, batch: 1 };
  const step = 60_000 * 70_000 + 59_999;
  expect(batchOf(plan, step)).toEqual({
    epoch: 70_000,
    first: 59_999,
    samples: 1,
    microBatches: 1,
  });
});
