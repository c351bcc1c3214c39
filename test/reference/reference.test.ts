import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Layer, ModelSpec } from '../../src/model/layers.js';
import { lenet5, lenet5Of1998 } from '../../src/model/lenet5.js';
import { buildModel } from '../../src/model/model.js';
import { arbitraryModel, arbitraryProblem } from './arbitraries.js';
import { at, largestMagnitude } from './arrays.js';
import { slopeAlong, spreadIndices } from './finite-differences.js';
import { randomProblem, type Problem } from './problems.js';
import { lossAndGradient } from './reference.js';

/** A central difference is off by about this squared, and by rounding divided by this. */
const DISTANCE = 1e-5;
const TOLERANCE = 1e-7;
/** Where gradients are smaller than this, what rounding does to the loss is more than the tolerance. */
const LEAST_SCALE = 1e-2;

/** Compares the gradient with finite differences; returns the share of points that were smooth. */
function checkSlopes(problem: Problem, count: number): number {
  const { model, weights, images, labels } = problem;
  const { gradient, magnitude } = lossAndGradient(model, weights, images, labels);
  const scale = Math.max(largestMagnitude(magnitude), LEAST_SCALE);
  const indices = spreadIndices(problem, count);
  let smooth = 0;
  let worst = { error: 0, index: -1 };
  for (const index of indices) {
    const slope = slopeAlong(problem, index, DISTANCE);
    if (slope !== undefined) {
      smooth++;
      const error = Math.abs(slope - at(gradient, index)) / scale;
      worst = error <= worst.error ? worst : { error, index };
    }
  }
  expect(
    worst.error,
    `largest relative error: ${worst.error} at weight ${worst.index}`,
  ).toBeLessThan(TOLERANCE);
  return smooth / indices.length;
}

/** The same layers without a kink among them. */
function withoutKinks(spec: ModelSpec): ModelSpec {
  const layers = spec.layers.map((layer): Layer => {
    switch (layer.type) {
      case 'relu':
      case 'relu6':
      case 'leakyReLU':
      case 'elu':
        return { type: 'tanh' };
      case 'maxPool2d':
        return { ...layer, type: 'averagePool2d' };
      default:
        return layer;
    }
  });
  return { ...spec, layers };
}

describe('the gradient is the slope of the loss', () => {
  test.each([lenet5, lenet5Of1998])('of $name', (spec) => {
    const problem = randomProblem(buildModel(spec), 1, 1);
    expect(checkSlopes(problem, 4)).toBeGreaterThan(0.8);
  });

  test('of random smooth models', () => {
    const models = arbitraryModel().map(withoutKinks);
    fc.assert(
      fc.property(arbitraryProblem({ models, mostSamples: 3 }), (problem) => {
        expect(checkSlopes(problem, 6)).toBe(1);
      }),
      { numRuns: 60 },
    );
  });

  test('of random models, where it has one', () => {
    const shares: number[] = [];
    fc.assert(
      fc.property(arbitraryProblem({ mostSamples: 3 }), (problem) => {
        shares.push(checkSlopes(problem, 6));
      }),
      { numRuns: 60 },
    );
    const average = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    expect(average).toBeGreaterThan(0.9);
  });
});
