import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lenet5, lenet5Of1998 } from '../../../src/model/lenet5.js';
import { type Layer, losses, type ModelSpec } from '../../../src/model/layers.js';
import { buildModel } from '../../../src/model/model.js';
import { arbitraryModel } from '../../reference/arbitraries.js';
import { largestGradientError, LEAST_LOSS } from '../../reference/compare.js';
import { forward, lossAndGradient } from '../../reference/reference.js';
import { byteProblem, type ByteProblem, DRAW, EngineUnderTest, imagesOf } from '../harness.js';
import { tensorflowOn } from './engine-under-test.js';
import { tensorflow } from './installed.js';

/** What docs/tensorflow.md states. */
const TOLERANCE = 1e-5;
/** Of models whose classes may be nearly sure, as in the exact engines' tests. */
const RANDOM_TOLERANCE = 1e-4;

async function compareWithReference(problem: ByteProblem, tolerance: number): Promise<void> {
  const { model, weights, labels } = problem;
  const expected = lossAndGradient(model, weights, imagesOf(problem), labels, DRAW);
  const { sums, rows } = await tensorflowOn(problem);
  const worst = largestGradientError(model, sums.gradient, expected);
  expect(worst.error, `largest relative error: ${JSON.stringify(worst)}`).toBeLessThan(tolerance);
  const scale = Math.max(1, Math.abs(expected.loss));
  expect(Math.abs(sums.loss - expected.loss) / scale).toBeLessThan(tolerance);
  expect(sums.correct).toBe(expected.correct);
  const evaluated = lossAndGradient(model, weights, imagesOf(problem), labels);
  const loss = rows.reduce((sum, row) => sum + (row[0] ?? NaN), 0);
  expect(Math.abs(loss - evaluated.loss) / Math.max(1, evaluated.loss)).toBeLessThan(tolerance);
  expect(rows.reduce((sum, row) => sum + (row[1] ?? NaN), 0)).toBe(evaluated.correct);
  const classes = rows.flatMap((row) => Array.from(row.subarray(2, 10))).slice(0, labels.length);
  if (model.layers.at(-1)?.output[0] === 1) return;
  expect(classes).toEqual(
    imagesOf(problem).map((image) => {
      const outputs = forward(model, weights, image);
      return outputs.indexOf(Math.max(...outputs));
    }),
  );
}

const conv = (filters: number, padding: 'same' | 'valid' = 'same'): Layer => ({
  type: 'conv2d',
  filters,
  kernel: [3, 3],
  strides: [1, 1],
  padding,
});
const end: Layer[] = [{ type: 'flatten' }, { type: 'dense', units: 3 }];

const dropped: ModelSpec = {
  name: 'dropped',
  input: [9, 7, 1],
  layers: [
    conv(5),
    { type: 'dropout', rate: 0.3 },
    conv(3),
    { type: 'relu' },
    { type: 'dropout', rate: 0.5 },
    ...end,
    { type: 'dropout', rate: 0.1 },
    { type: 'dense', units: 4 },
  ],
};

describe.skipIf(tensorflow.missing)(`TensorFlow's gradients${tensorflow.where}`, () => {
  test.each([
    ['LeNet-5', lenet5],
    ['LeNet-5 of 1998', lenet5Of1998],
    ['a model with dropout between its layers', dropped],
  ])('of %s are those of WebAssembly within 1e-5', async (_, spec) => {
    const model = buildModel(spec);
    const problem = byteProblem(model, 11, 7);
    const exact = (await EngineUnderTest.create(model)).gradients(problem);
    const { magnitude } = lossAndGradient(
      model,
      problem.weights,
      imagesOf(problem),
      problem.labels,
    );
    const { sums } = await tensorflowOn(problem);
    const expected = { gradient: exact.gradient, magnitude };
    const worst = largestGradientError(model, sums.gradient, expected);
    expect(worst.error, JSON.stringify(worst)).toBeLessThan(TOLERANCE);
    expect(sums.correct).toBe(exact.correct);
    expect(Math.abs(sums.loss / exact.loss - 1)).toBeLessThan(TOLERANCE);
  });

  test.each<[string, Layer[]]>([
    ['relu6', [conv(3), { type: 'relu6' }, ...end]],
    ['leakyReLU', [conv(3), { type: 'leakyReLU', alpha: 0.3 }, ...end]],
    ['elu', [conv(3), { type: 'elu', alpha: 0.7 }, ...end]],
    ['softmax', [conv(3), { type: 'softmax' }, conv(2), ...end]],
    [
      'zeroPadding2d',
      [
        conv(2),
        {
          type: 'zeroPadding2d',
          zeros: [
            [1, 2],
            [0, 3],
          ],
        },
        conv(2),
        ...end,
      ],
    ],
    [
      'globalAveragePool2d',
      [conv(4), { type: 'tanh' }, { type: 'globalAveragePool2d' }, { type: 'dense', units: 3 }],
    ],
    [
      'an addition, one branch of which is the sample and another has no weights',
      [
        { type: 'sigmoid' },
        { ...conv(2), inputs: [-1] },
        { type: 'tanh' },
        { ...conv(2), inputs: [1] },
        { type: 'add', inputs: [-1, 0, 2, 3] },
        ...end,
      ],
    ],
  ])('of %s', async (_, layers) => {
    const model = buildModel({ name: 'one', input: [5, 6, 2], layers });
    for (const samples of [1, 11]) {
      await compareWithReference(byteProblem(model, samples, samples), RANDOM_TOLERANCE);
    }
  });

  test.each(losses)('of the loss %s', async (loss) => {
    for (const units of loss === 'binaryCrossEntropy' ? [1, 3] : [3]) {
      const layers: Layer[] = [{ type: 'flatten' }, { type: 'dense', units }];
      const model = buildModel({ name: 'loss', input: [3, 3, 1], loss, layers });
      await compareWithReference(byteProblem(model, 9, units), RANDOM_TOLERANCE);
    }
  });

  test('of random models and batches', async () => {
    const cases = fc.record({
      spec: arbitraryModel(),
      samples: fc.integer({ min: 1, max: 20 }),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ spec, samples, seed }) => {
        const problem = byteProblem(buildModel(spec), samples, seed);
        const { model, weights, labels } = problem;
        fc.pre(lossAndGradient(model, weights, imagesOf(problem), labels).loss > LEAST_LOSS);
        await compareWithReference(problem, RANDOM_TOLERANCE);
      }),
      { numRuns: 20 },
    );
  });
});
