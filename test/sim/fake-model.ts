import { batchOf, type BatchPlan } from '../../src/data/batches.js';
import { referenceSum, unevenValues, type Values } from '../reduce/fake-sums.js';
import { randomNumbers } from '../reference/random.js';

const WIDTH = 8;

export function firstWeights(seed: number): Values {
  const next = randomNumbers(~seed);
  return Float32Array.from({ length: WIDTH }, next);
}

/** The gradient of one micro-batch: float32 values that the weights have a part in. */
export function gradientOf(seed: number, step: number, leaf: number, weights: Values): Values {
  const next = randomNumbers(seed ^ Math.imul(step + 1, 0x9e3779b1) ^ Math.imul(leaf, 0x85ebca6b));
  return unevenValues(next, WIDTH).map((value, index) => value * (1 + (weights[index] ?? NaN)));
}

/** New weights in [0, 1): one bit more or less in the sum or the weights changes them wholly. */
export function updatedWeights(weights: Values, sum: Values): Values {
  const before = new Uint32Array(weights.slice().buffer);
  const bits = new Uint32Array(sum.slice().buffer);
  return Float32Array.from(bits, (word, index) => {
    let mixed = Math.imul(word ^ Math.imul(before[index] ?? 0, 0x9e3779b1), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 8) / 2 ** 24;
  });
}

/** The weights after `steps` steps of a run that one member computes alone. */
export function referenceWeights(
  { seed, plan }: { readonly seed: number; readonly plan: BatchPlan },
  steps: number,
  sum: (leaves: readonly Values[]) => Values = referenceSum,
): Values {
  let weights = firstWeights(seed);
  for (let step = 0; step < steps; step++) {
    const { microBatches } = batchOf(plan, step);
    const leaves = Array.from({ length: microBatches }, (_, leaf) =>
      gradientOf(seed, step, leaf, weights),
    );
    weights = updatedWeights(weights, sum(leaves));
  }
  return weights;
}
