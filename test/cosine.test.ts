import { describe, expect, test } from 'vitest';
import { cosPi } from '../src/cosine.js';

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
