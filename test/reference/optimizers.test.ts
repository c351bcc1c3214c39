import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { largestRelativeError } from './compare.js';
import { newState, step, type Hyper, type OptimizerKind } from './optimizers.js';
import { randomNumbers, randomValues } from './random.js';

tf.enableProdMode();

const HYPER: Hyper = { lr: 0.1, momentum: 0.9, weightDecay: 0, step: 1 };

/** Where one weight is after each of these gradients. */
function path(
  kind: OptimizerKind,
  start: number,
  slopes: readonly number[],
  hyper: Partial<Hyper>,
): number[] {
  const state = newState(1);
  const weights = Float64Array.of(start);
  return slopes.map((slope, index) => {
    step(kind, state, weights, Float64Array.of(slope), { ...HYPER, ...hyper, step: index + 1 });
    return weights[0] ?? NaN;
  });
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  const found = largestRelativeError(actual, expected);
  expect(found.error, `${JSON.stringify(found)} of ${actual.join()}`).toBeLessThan(1e-14);
}

describe('by hand', () => {
  test('sgd', () => {
    expectClose(path('sgd', 2, [3, -5], {}), [1.7, 2.2]);
  });

  test('sgd with weight decay', () => {
    // 2 - 0.1 * (3 + 0.5 * 2); 1.6 - 0.1 * (-5 + 0.5 * 1.6)
    expectClose(path('sgd', 2, [3, -5], { weightDecay: 0.5 }), [1.6, 2.02]);
  });

  test('momentum', () => {
    // v = 3, then 0.9 * 3 - 5 = -2.3
    expectClose(path('momentum', 2, [3, -5], {}), [1.7, 1.93]);
  });

  test('momentum with weight decay', () => {
    // v = 3 + 1 = 4, then 0.9 * 4 - 5 + 0.8 = -0.6
    expectClose(path('momentum', 2, [3, -5], { weightDecay: 0.5 }), [1.6, 1.66]);
  });

  test('the learning rate may change under momentum without changing the velocity', () => {
    const state = newState(1);
    const weights = Float64Array.of(2);
    step('momentum', state, weights, Float64Array.of(3), HYPER);
    step('momentum', state, weights, Float64Array.of(-5), { ...HYPER, lr: 0.01, step: 2 });
    // v = 3, then -2.3, as before
    expectClose([...weights], [1.7 + 0.023]);
  });

  test('adam', () => {
    // m = 0.3, v = 0.009: unbiased 3 and 9.
    // m = 0.9 * 0.3 - 0.1 = 0.17, v = 0.999 * 0.009 + 0.001 = 0.009991; over 0.19 and 0.001999.
    const first = 2 - (0.1 * 3) / (3 + 1e-8);
    const second = first - (0.1 * (0.17 / 0.19)) / (Math.sqrt(0.009991 / 0.001999) + 1e-8);
    expectClose(path('adam', 2, [3, -1], {}), [first, second]);
  });

  test('the epsilon of adam is added to the root', () => {
    expectClose(path('adam', 2, [1e-8], {}), [2 - 0.1 / 2]);
  });

  test('adam with weight decay', () => {
    // Slopes 3 + 0.5 * 2 = 4 and -1 + 0.5 * w: m = 0.4, v = 0.016, then 0.36 + s / 10, ...
    const first = 2 - (0.1 * 4) / (4 + 1e-8);
    const slope = -1 + 0.5 * first;
    const mean = (0.36 + 0.1 * slope) / 0.19;
    const meanSquare = (0.999 * 0.016 + 0.001 * slope * slope) / 0.001999;
    const second = first - (0.1 * mean) / (Math.sqrt(meanSquare) + 1e-8);
    expectClose(path('adam', 2, [3, -1], { weightDecay: 0.5 }), [first, second]);
  });

  test('adamw', () => {
    // Each step shrinks the weight by 1 - 0.1 * 0.5 and goes where adam without decay goes.
    const first = 2 * 0.95 - (0.1 * 3) / (3 + 1e-8);
    const second = first * 0.95 - (0.1 * (0.17 / 0.19)) / (Math.sqrt(0.009991 / 0.001999) + 1e-8);
    expectClose(path('adamw', 2, [3, -1], { weightDecay: 0.5 }), [first, second]);
  });

  test('adamw without decay is adam', () => {
    const slopes = [3, -1, 0, 2];
    expect(path('adamw', 2, slopes, {})).toEqual(path('adam', 2, slopes, {}));
  });
});

describe('TensorFlow.js agrees on', () => {
  test.each([
    ['sgd', () => tf.train.sgd(0.1)],
    ['momentum', () => tf.train.momentum(0.1, 0.9)],
    ['adam', () => tf.train.adam(0.1, 0.9, 0.999, 1e-8)],
  ] as const)('%s', (kind, create) => {
    const size = 50;
    const next = randomNumbers(1);
    const weights = randomValues(next, size, 1);
    const state = newState(size);
    const variable = tf.variable(tf.tensor1d(Float32Array.from(weights)));
    const optimizer = create();
    for (let nth = 1; nth <= 10; nth++) {
      const gradient = randomValues(next, size, 1);
      step(kind, state, weights, gradient, { ...HYPER, step: nth });
      optimizer.applyGradients([
        { name: variable.name, tensor: tf.tensor1d(Float32Array.from(gradient)) },
      ]);
      const found = largestRelativeError(variable.dataSync(), weights);
      expect(found.error, `step ${nth}: ${JSON.stringify(found)}`).toBeLessThan(1e-5);
    }
  });
});
