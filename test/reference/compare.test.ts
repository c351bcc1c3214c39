import { describe, expect, test } from 'vitest';
import { lenet5 } from '../../src/model/lenet5.js';
import { buildModel } from '../../src/model/model.js';
import { largestGradientError, largestRelativeError } from './compare.js';

describe('largestRelativeError', () => {
  test('is relative to the largest expected magnitude', () => {
    expect(largestRelativeError([1, -4.5, 0.25], [1, -4, 0])).toEqual({ error: 0.125, index: 1 });
  });

  test('is 0 for equal arrays, whatever they hold', () => {
    expect(largestRelativeError([0, NaN, Infinity], [-0, NaN, Infinity])).toEqual({
      error: 0,
      index: -1,
    });
  });

  test.each([
    [NaN, 1],
    [Infinity, 1],
    [1, NaN],
    [-Infinity, Infinity],
  ])('is infinite for %d instead of %d', (actual, expected) => {
    expect(largestRelativeError([2, actual], [2, expected])).toEqual({ error: Infinity, index: 1 });
  });

  test('does not divide by zero', () => {
    expect(largestRelativeError([0], [0]).error).toBe(0);
    expect(largestRelativeError([1e-6], [0]).error).toBeGreaterThan(1);
  });

  test('needs arrays of one length', () => {
    expect(() => largestRelativeError([1], [1, 2])).toThrow('1 values, not 2');
  });
});

describe('largestGradientError', () => {
  const model = buildModel(lenet5);

  test('has a scale for every layer', () => {
    const gradient = new Float64Array(model.parameterCount);
    const magnitude = new Float64Array(model.parameterCount).fill(1000);
    const bias = model.parameters.find(({ name }) => name === 'conv2d_1/bias');
    magnitude.fill(0.5, 0, 156);
    const actual = gradient.slice();
    actual[151] = 0.25;
    actual[200] = 1;
    expect(bias).toMatchObject({ offset: 150, size: 6 });
    expect(largestGradientError(model, actual, { gradient, magnitude })).toEqual({
      error: 0.5,
      index: 151,
      parameter: 'conv2d_1/bias',
    });
  });

  test('needs a value for every weight', () => {
    const gradient = new Float64Array(model.parameterCount);
    expect(() => largestGradientError(model, [1], { gradient, magnitude: gradient })).toThrow(
      '1 values, not 61706',
    );
  });
});
