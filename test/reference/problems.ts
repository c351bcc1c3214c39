import { sizeOf, type Model } from '../../src/model/model.js';
import { kinkMargin } from './kinks.js';
import { randomNumbers, randomValues } from './random.js';

/** Samples: images as [row][column][channel], and a label for each. */
export interface Batch {
  readonly images: readonly Float64Array[];
  readonly labels: readonly number[];
}

/** All that a loss and its gradient depend on. */
export interface Problem extends Batch {
  readonly model: Model;
  readonly weights: Float64Array;
}

const LARGEST_PIXEL = 2;
const LARGEST_BIAS = 0.5;

/**
 * Random weights that float32 holds exactly: kernels of variance 1 / fan-in, so that values keep
 * their size from layer to layer, and biases that are not zero, so that it shows when they are
 * left out.
 */
export function randomWeights(model: Model, seed: number): Float64Array {
  const next = randomNumbers(seed);
  const weights = new Float64Array(model.parameterCount);
  for (const { shape, offset, size } of model.parameters) {
    const limit = shape.length === 1 ? LARGEST_BIAS : Math.sqrt(3 / sizeOf(shape.slice(0, -1)));
    weights.set(randomValues(next, size, limit), offset);
  }
  return weights;
}

/** Random images that float32 holds exactly, with values in [-2, 2], and labels. */
export function randomBatch(model: Model, samples: number, seed: number): Batch {
  const next = randomNumbers(seed);
  const images = Array.from({ length: samples }, () => randomImage(model, next));
  return { images, labels: randomLabels(model, samples, next) };
}

/**
 * Random weights and samples for a model. No sample's `kinkMargin` is less than `margin`: leave it
 * at 0 where both sides compute in float64 or only logits matter, and give 1e-5 or so where
 * gradients in float32 are compared.
 */
export function randomProblem(model: Model, samples: number, seed: number, margin = 0): Problem {
  const next = randomNumbers(seed);
  const weights = randomWeights(model, Math.floor(next() * 2 ** 32));
  const images = Array.from({ length: samples }, () =>
    imageAwayFromKinks(model, weights, next, margin),
  );
  return { model, weights, images, labels: randomLabels(model, samples, next) };
}

const MOST_ATTEMPTS = 1000;

function imageAwayFromKinks(
  model: Model,
  weights: Float64Array,
  next: () => number,
  margin: number,
): Float64Array {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const image = randomImage(model, next);
    if (margin === 0 || kinkMargin(model, weights, image) >= margin) {
      return image;
    }
  }
  throw new Error(`no image of ${MOST_ATTEMPTS} is ${margin} away from the kinks`);
}

function randomImage(model: Model, next: () => number): Float64Array {
  return randomValues(next, sizeOf(model.spec.input), LARGEST_PIXEL);
}

function randomLabels(model: Model, samples: number, next: () => number): number[] {
  return Array.from({ length: samples }, () => Math.floor(next() * model.classes));
}
