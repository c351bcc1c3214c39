import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Layer, ModelSpec, Padding } from '../../src/model/layers.js';
import { lenet5, lenet5Of1998 } from '../../src/model/lenet5.js';
import { buildModel } from '../../src/model/model.js';
import { arbitraryProblem } from './arbitraries.js';
import { largestGradientError, largestRelativeError, LEAST_LOSS } from './compare.js';
import { randomProblem, type Problem } from './problems.js';
import { forward, lossAndGradient } from './reference.js';
import { tensorFlow } from './tensorflow.js';

/** Some tens of float32's roundings. */
const TOLERANCE = 1e-5;
/**
 * Of random models too: where a sample's class is nearly sure, the gradient is what is left of 1 - p
 * in float32, and its relative error grows as that falls.
 */
const RANDOM_TOLERANCE = 1e-4;
const MARGIN = 1e-5;

/**
 * The gradient of average pooling in TensorFlow.js divides by the size of the whole window even
 * where padding is under it, and so is not the gradient of its own output.
 */
function isGradientTrusted(spec: ModelSpec): boolean {
  return !spec.layers.some((layer) => layer.type === 'averagePool2d' && layer.padding === 'same');
}

function checkAgainstTensorFlow(problem: Problem, tolerance = TOLERANCE): void {
  const { model, weights, images, labels } = problem;
  const outputs = images.flatMap((image) => [...forward(model, weights, image)]);
  const expected = lossAndGradient(model, weights, images, labels);
  const actual = tensorFlow(problem);

  expect(actual.shapes).toEqual(model.parameters.map(({ shape }) => shape));
  checkError('outputs', largestRelativeError(actual.outputs, outputs), tolerance);
  // A loss near 0 is the difference of numbers as large as the logits.
  const lossError = Math.abs(actual.loss - expected.loss) / (expected.loss + 1);
  checkError('loss', { error: lossError }, tolerance);
  if (isGradientTrusted(model.spec)) {
    checkError('gradient', largestGradientError(model, actual.gradient, expected), tolerance);
  }
}

function checkError(what: string, found: { readonly error: number }, tolerance: number): void {
  expect(
    found.error,
    `largest relative error of the ${what}: ${JSON.stringify(found)}`,
  ).toBeLessThan(tolerance);
}

/** A convolution and a pooling layer with strides and windows that are not square. */
function strided(pool: 'maxPool2d' | 'averagePool2d', padding: Padding): ModelSpec {
  const layers: Layer[] = [
    { type: 'conv2d', filters: 5, kernel: [4, 3], strides: [1, 2], padding },
    { type: 'relu' },
    { type: pool, size: [3, 2], strides: [2, 1], padding },
    { type: 'conv2d', filters: 4, kernel: [2, 3], strides: [2, 1], padding },
    { type: 'sigmoid' },
    { type: 'flatten' },
    { type: 'dense', units: 7 },
  ];
  return { name: `${padding} ${pool}`, input: [13, 18, 3], layers };
}

describe('TensorFlow.js agrees on', () => {
  test.each([
    lenet5,
    lenet5Of1998,
    strided('maxPool2d', 'same'),
    strided('maxPool2d', 'valid'),
    strided('averagePool2d', 'same'),
    strided('averagePool2d', 'valid'),
  ])('$name', (spec) => {
    checkAgainstTensorFlow(randomProblem(buildModel(spec), 5, 1, MARGIN));
  });

  test('random models', () => {
    fc.assert(
      fc.property(arbitraryProblem({ margin: MARGIN }), (problem) => {
        const { model, weights, images, labels } = problem;
        fc.pre(lossAndGradient(model, weights, images, labels).loss > LEAST_LOSS);
        checkAgainstTensorFlow(problem, RANDOM_TOLERANCE);
      }),
    );
  });
});
