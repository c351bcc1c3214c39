import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { learningRate } from '../../src/optim/schedule.js';

describe('learningRate', () => {
  const rates = (schedule: 'constant' | 'step' | 'cosine', warmup: number, steps: number) =>
    Array.from({ length: steps }, (_, step) =>
      learningRate({ schedule, lr: 8, warmup }, step, steps),
    );

  test('warms up linearly', () => {
    expect(rates('constant', 4, 8)).toEqual([2, 4, 6, 8, 8, 8, 8, 8]);
  });

  test('warms up over at most half of all steps', () => {
    expect(rates('constant', 1000, 5)).toEqual([4, 8, 8, 8, 8]);
    expect(rates('constant', 1000, 1)).toEqual([8]);
  });

  test('decays in steps at a half and three quarters of what follows the warm-up', () => {
    expect(rates('step', 2, 10)).toEqual([4, 8, 8, 8, 8, 8, 0.8, 0.8, 0.08, 0.08]);
  });

  test('decays along half a cosine', () => {
    const [first, second, ...rest] = rates('cosine', 2, 10);
    expect([first, second]).toEqual([4, 8]);
    rest.forEach((rate, i) => {
      expect(rate).toBeCloseTo(4 * (1 + Math.cos((Math.PI * i) / 8)), 14);
    });
    expect(rest[4]).toBe(4);
  });

  test('ends a cosine at 0 and stays there', () => {
    const settings = { schedule: 'cosine', lr: 8, warmup: 2 } as const;
    expect(learningRate(settings, 10, 10)).toBe(0);
    expect(learningRate(settings, 11, 10)).toBe(0);
  });

  test('is above 0 and at most the peak, and never rises after the warm-up', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('constant', 'step', 'cosine'),
        fc.double({ min: 1e-6, max: 100, noNaN: true }),
        fc.nat(1000),
        fc.integer({ min: 1, max: 500 }),
        (schedule, lr, warmup, steps) => {
          const settings = { schedule, lr, warmup };
          let last = lr;
          for (let step = 0; step < steps; step++) {
            const rate = learningRate(settings, step, steps);
            expect(rate).toBeGreaterThan(0);
            expect(rate).toBeLessThanOrEqual(lr);
            if (step >= Math.min(warmup, Math.floor(steps / 2))) {
              expect(rate).toBeLessThanOrEqual(last);
              last = rate;
            }
          }
        },
      ),
    );
  });
});
