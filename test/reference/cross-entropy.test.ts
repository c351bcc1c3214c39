import { expect, test } from 'vitest';
import { argmax } from './arrays.js';
import { crossEntropy, crossEntropyGradient } from './cross-entropy.js';

test('cross-entropy by hand', () => {
  // Softmax is 1/4, 3/4.
  const logits = Float64Array.of(0, Math.log(3));
  expect(crossEntropy(logits, 0)).toBeCloseTo(Math.log(4), 15);
  expect(crossEntropy(logits, 1)).toBeCloseTo(Math.log(4 / 3), 15);
  const [first, second] = crossEntropyGradient(logits, 1);
  expect(first).toBeCloseTo(0.25, 15);
  expect(second).toBeCloseTo(-0.25, 15);
});

test('logits may be large', () => {
  expect(crossEntropy(Float64Array.of(5000, 1000), 1)).toBe(4000);
  expect([...crossEntropyGradient(Float64Array.of(5000, 1000), 1)]).toEqual([1, -1]);
});

test('the first of the largest is the prediction', () => {
  expect(argmax([1, 4, 4, 2])).toBe(1);
});
