import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cosPi, learningRate } from '../../src/optim/schedule.js';

describe('cosPi', () => {
  test('is exact at the quarters', () => {
    expect([0, 0.5, 1].map(cosPi)).toEqual([1, 0, -1]);
  });

  test('is within 4e-16 of Math.cos', () => {
    let worst = 0;
    for (let i = 0; i <= 100_000; i++) {
      const x = i / 100_000;
      // Near 0.5 the error of Math.PI * x would be the larger one; sin(pi (0.5 - x)) has none.
      const expected =
        Math.abs(x - 0.5) < 0.25 ? Math.sin(Math.PI * (0.5 - x)) : Math.cos(Math.PI * x);
      worst = Math.max(worst, Math.abs(cosPi(x) - expected));
    }
    expect(worst, 'largest error').toBeLessThan(4e-16);
  });

  // These bits must never change: every machine of a run computes the same rates.
  test('gives the known bits', () => {
    expect([0.1, 0.3, 1 / 3, 0.7, 0.9].map(cosPi)).toEqual([
      0.9510565162951535, 0.5877852522924731, 0.5, -0.587785252292473, -0.9510565162951536,
    ]);
  });
});

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
