import { expect, it } from 'vitest';
import { lenet5, lenet5Of1998 } from '../../src/model/lenet5.js';
import { buildModel } from '../../src/model/model.js';
import { largestGradientError } from '../reference/compare.js';
import { lossAndGradient } from '../reference/reference.js';
import { tensorFlow } from '../reference/tensorflow.js';
import { byteProblem, EngineUnderTest, imagesOf } from './harness.js';

it.each([
  ['LeNet-5', lenet5],
  ['LeNet-5 of 1998', lenet5Of1998],
])("the gradients of %s are those of TensorFlow.js's CPU backend", async (_, spec) => {
  const model = buildModel(spec);
  const problem = byteProblem(model, 9, 11);
  const { weights, labels } = problem;
  const images = imagesOf(problem);
  const expected = tensorFlow({ model, weights, images, labels });
  const actual = (await EngineUnderTest.create(model)).gradients(problem);
  const { magnitude } = lossAndGradient(model, weights, images, labels);
  const gradient = Float64Array.from(expected.gradient);
  const worst = largestGradientError(model, actual.gradient, { gradient, magnitude });
  expect(worst.error, `largest relative error: ${JSON.stringify(worst)}`).toBeLessThan(2e-6);
  expect(actual.loss).toBeCloseTo(expected.loss, 3);
});
