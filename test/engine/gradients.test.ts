import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lenet5, lenet5Of1998 } from '../../src/model/lenet5.js';
import { type Layer, losses, type ModelSpec } from '../../src/model/layers.js';
import { buildModel, type Model } from '../../src/model/model.js';
import { arbitraryModel } from '../reference/arbitraries.js';
import { largestGradientError, LEAST_LOSS } from '../reference/compare.js';
import { classOf } from '../reference/losses.js';
import { forward, lossAndGradient } from '../reference/reference.js';
import { graph } from '../model/helpers.js';
import { byteProblem, DRAW, type ByteProblem, EngineUnderTest, imagesOf } from './harness.js';

/** Rounding of float32 sums of some thousand terms. */
const TOLERANCE = 2e-5;

/**
 * Of random models too: where a sample's class is nearly sure, the gradient is what is left of 1 - p
 * in float32, and its relative error grows as that falls.
 */
const RANDOM_TOLERANCE = 1e-4;

async function compareWithReference(problem: ByteProblem, tolerance = TOLERANCE): Promise<void> {
  const { model, weights, labels } = problem;
  const engine = await EngineUnderTest.create(model);
  const expected = lossAndGradient(model, weights, imagesOf(problem), labels, DRAW);
  const actual = engine.gradients(problem);
  const worst = largestGradientError(model, actual.gradient, expected);
  expect(worst.error, `largest relative error: ${JSON.stringify(worst)}`).toBeLessThan(tolerance);
  const lossError = Math.abs(actual.loss - expected.loss) / Math.max(1, Math.abs(expected.loss));
  expect(lossError, `relative error of the loss: ${lossError}`).toBeLessThan(tolerance);
  expect(actual.correct).toBe(expected.correct);
  const evaluation = engine.evaluate(problem);
  const evaluated = lossAndGradient(model, weights, imagesOf(problem), labels);
  const evaluationError = Math.abs(evaluation.loss - evaluated.loss) / Math.max(1, evaluated.loss);
  expect(evaluationError, `relative error: ${evaluationError}`).toBeLessThan(tolerance);
  expect(evaluation.correct).toBe(evaluated.correct);
  expect(evaluation.classes).toEqual(
    imagesOf(problem).map((image) => classOf(forward(model, weights, image))),
  );
}

function modelOf(input: ModelSpec['input'], ...layers: Layer[]): Model {
  return buildModel({ name: 'test', input, layers });
}

const tail: Layer[] = [{ type: 'flatten' }, { type: 'dense', units: 5 }];

describe('gradients against the float64 reference', () => {
  it.each([
    ['LeNet-5', lenet5],
    ['LeNet-5 of 1998', lenet5Of1998],
    ['a graph', graph],
  ])('%s, a batch that does not divide by 8', async (_, spec) => {
    await compareWithReference(byteProblem(buildModel(spec), 21, 7));
  });

  const conv = (kernel: [number, number], strides: [number, number], padding: 'same' | 'valid') =>
    ({ type: 'conv2d', filters: 7, kernel, strides, padding }) as const;
  const pool = (
    type: 'maxPool2d' | 'averagePool2d',
    size: [number, number],
    strides: [number, number],
    padding: 'same' | 'valid' = 'valid',
  ) => ({ type, size, strides, padding }) as const;

  const zeros: Layer = {
    type: 'zeroPadding2d',
    zeros: [
      [2, 0],
      [1, 3],
    ],
  };

  it.each<[string, Model]>([
    ['a dense layer', modelOf([3, 4, 2], { type: 'flatten' }, { type: 'dense', units: 13 })],
    ['a convolution', modelOf([9, 8, 3], conv([3, 2], [1, 1], 'valid'), ...tail)],
    ['a padded convolution', modelOf([9, 8, 2], conv([4, 5], [1, 1], 'same'), ...tail)],
    ['a strided convolution', modelOf([9, 8, 2], conv([3, 3], [2, 3], 'same'), ...tail)],
    ['strides above the kernel', modelOf([9, 8, 2], conv([1, 2], [3, 3], 'valid'), ...tail)],
    ['a kernel of 6x6', modelOf([9, 9, 2], conv([6, 6], [1, 1], 'same'), ...tail)],
    [
      'a convolution below another',
      modelOf([9, 8, 2], conv([3, 3], [2, 1], 'same'), conv([3, 2], [1, 2], 'same'), ...tail),
    ],
    [
      'pooling that leaves cells over',
      modelOf([9, 7, 2], conv([2, 2], [1, 1], 'same'), pool('maxPool2d', [2, 2], [2, 2]), ...tail),
    ],
    [
      'pooling below a convolution',
      modelOf(
        [9, 8, 2],
        conv([2, 2], [1, 1], 'same'),
        pool('maxPool2d', [2, 3], [2, 3]),
        conv([3, 1], [1, 1], 'same'),
        ...tail,
      ),
    ],
    [
      'overlapping pooling',
      modelOf(
        [9, 8, 2],
        conv([2, 2], [1, 1], 'same'),
        pool('maxPool2d', [3, 3], [2, 1], 'same'),
        ...tail,
      ),
    ],
    [
      'average pooling with padding',
      modelOf(
        [9, 8, 2],
        conv([2, 2], [1, 1], 'same'),
        pool('averagePool2d', [3, 2], [2, 2], 'same'),
        ...tail,
      ),
    ],
    [
      'activations on their own',
      modelOf(
        [5, 4, 3],
        { type: 'tanh' },
        pool('averagePool2d', [2, 2], [1, 1]),
        { type: 'relu' },
        { type: 'flatten' },
        { type: 'sigmoid' },
        { type: 'dense', units: 6 },
      ),
    ],
    ['dropout of an image', modelOf([5, 4, 3], { type: 'dropout', rate: 0.4 }, ...tail)],
    [
      'dropout of what was an image',
      modelOf([5, 4, 3], { type: 'flatten' }, { type: 'dropout', rate: 0.4 }, ...tail),
    ],
    [
      'a softmax of what was an image',
      modelOf([5, 4, 3], { type: 'flatten' }, { type: 'softmax' }, ...tail),
    ],
    ['a softmax at each place', modelOf([5, 4, 3], { type: 'softmax' }, ...tail)],
    ['zeros around an image', modelOf([5, 4, 3], zeros, conv([3, 2], [1, 1], 'same'), ...tail)],
    ['an image as outputs', modelOf([2, 2, 2], conv([2, 2], [1, 1], 'same'), { type: 'flatten' })],
    [
      'the sum of what was an image and what was not',
      modelOf(
        [2, 2, 2],
        conv([2, 2], [1, 1], 'same'),
        { type: 'flatten' },
        { type: 'dense', units: 28 },
        { type: 'add', inputs: [1, 2] },
        { type: 'dense', units: 5 },
      ),
    ],
    [
      'a value that several layers take, with borders of their own',
      modelOf(
        [9, 8, 2],
        { type: 'tanh' },
        { ...conv([5, 5], [1, 1], 'same'), inputs: [0] },
        { ...conv([2, 3], [1, 1], 'same'), inputs: [0] },
        { ...conv([1, 1], [1, 1], 'valid'), inputs: [0] },
        { type: 'add', inputs: [1, 2, 3, 1] },
        pool('maxPool2d', [2, 2], [2, 2]),
        { ...pool('averagePool2d', [3, 2], [2, 2]), inputs: [4] },
        { type: 'add', inputs: [5, 6] },
        ...tail,
      ),
    ],
    [
      'an activation and a pool that are not the only ones to take a value',
      modelOf(
        [8, 8, 1],
        conv([3, 3], [1, 1], 'same'),
        { type: 'relu6' },
        pool('maxPool2d', [2, 2], [2, 2]),
        { ...pool('averagePool2d', [2, 2], [2, 2]), inputs: [1] },
        { ...pool('maxPool2d', [2, 2], [2, 2]), inputs: [0] },
        { type: 'add', inputs: [2, 3, 4] },
        ...tail,
      ),
    ],
    ...losses.map((loss): [string, Model] => [
      `the loss ${loss}`,
      buildModel({ ...modelOf([5, 4, 3], ...tail).spec, loss }),
    ]),
    [
      'binary cross-entropy of a single output',
      buildModel({
        name: 'test',
        input: [3, 3, 1],
        loss: 'binaryCrossEntropy',
        layers: [{ type: 'flatten' }, { type: 'dense', units: 1 }],
      }),
    ],
    [
      'a pooled tanh',
      modelOf(
        [8, 8, 1],
        conv([3, 3], [1, 1], 'same'),
        { type: 'tanh' },
        pool('maxPool2d', [2, 2], [2, 2]),
        ...tail,
      ),
    ],
  ])('%s', async (_, model) => {
    for (const samples of [1, 8, 11]) {
      await compareWithReference(byteProblem(model, samples, samples));
    }
  });

  it('random models and batches', async () => {
    const cases = fc.record({
      spec: arbitraryModel(),
      samples: fc.integer({ min: 1, max: 20 }),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ spec, samples, seed }) => {
        const problem = byteProblem(buildModel(spec), samples, seed);
        const { model, weights, labels } = problem;
        fc.pre(lossAndGradient(model, weights, imagesOf(problem), labels, DRAW).loss > LEAST_LOSS);
        await compareWithReference(problem, RANDOM_TOLERANCE);
      }),
      { numRuns: 150 },
    );
  });
});

describe('values that are not finite', () => {
  it('make the loss not finite wherever the logit is', async () => {
    const model = modelOf([2, 2, 1], ...tail);
    const engine = await EngineUnderTest.create(model);
    for (const [value, bias] of [NaN, Infinity, -Infinity].flatMap((bad) =>
      model.parameters.flatMap(({ name, offset, size }) =>
        name.endsWith('bias')
          ? Array.from({ length: size }, (_, index) => [bad, offset + index])
          : [],
      ),
    ) as [number, number][]) {
      const problem = byteProblem(model, 8, 3);
      problem.weights[bias] = value;
      expect(engine.gradients(problem).loss).not.toSatisfy(Number.isFinite);
    }
  });
});
