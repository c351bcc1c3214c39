import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layerTypes } from '../../src/model/files/schema.js';
import { buildModel, sizeOf, type Model } from '../../src/model/model.js';
import {
  arbitraryBatch,
  arbitraryModel,
  arbitraryProblem,
  arbitraryWeights,
  sampleModels,
} from './arbitraries.js';
import { largestMagnitude } from './arrays.js';
import { kinkMargin } from './kinks.js';
import { randomBatch, randomProblem } from './problems.js';
import { forward } from './reference.js';

function models(): fc.Arbitrary<Model> {
  return arbitraryModel().map(buildModel);
}

describe('random', () => {
  test('models are valid, and simpler ones too', () => {
    fc.assert(
      fc.property(models(), (model) => {
        const [rows, columns, channels] = model.spec.input;
        expect(Math.min(rows, columns)).toBeGreaterThanOrEqual(3);
        expect(Math.max(rows, columns)).toBeLessThanOrEqual(12);
        expect(channels).toBeLessThanOrEqual(4);
        expect(model.classes).toBeLessThanOrEqual(12);
      }),
      { numRuns: 1000 },
    );
  });

  test('models are of every kind', () => {
    const layers = sampleModels(300, 1).flatMap(({ spec }) => spec.layers);
    for (const type of layerTypes) {
      expect(
        layers.some((layer) => layer.type === type),
        type,
      ).toBe(true);
    }
    for (const type of ['conv2d', 'maxPool2d', 'averagePool2d']) {
      for (const padding of ['same', 'valid']) {
        for (const stride of [1, 2, 3]) {
          const found = layers.some(
            (layer) =>
              layer.type === type &&
              'padding' in layer &&
              layer.padding === padding &&
              layer.strides[0] === stride,
          );
          expect(found, `${type} ${padding} ${stride}`).toBe(true);
        }
      }
    }
  });

  test('batches fit their models', () => {
    const batches = models().chain((model) =>
      fc.record({ model: fc.constant(model), batch: arbitraryBatch(model) }),
    );
    fc.assert(
      fc.property(batches, ({ model, batch: { images, labels } }) => {
        expect(images.length).toBe(labels.length);
        expect(images.length).toBeGreaterThanOrEqual(1);
        expect(images.length).toBeLessThanOrEqual(20);
        expect(images.every((image) => image.length === sizeOf(model.spec.input))).toBe(true);
        expect(images.every((image) => largestMagnitude(image) <= 2)).toBe(true);
        expect(labels.every((label) => label >= 0 && label < model.classes)).toBe(true);
      }),
    );
  });

  test('weights keep the logits tame', () => {
    const cases = models().chain((model) =>
      fc.record({ model: fc.constant(model), weights: arbitraryWeights(model), seed: fc.nat() }),
    );
    fc.assert(
      fc.property(cases, ({ model, weights, seed }) => {
        const [image] = randomBatch(model, 1, seed).images;
        const logits = forward(model, weights, image ?? new Float64Array());
        expect(largestMagnitude(logits)).toBeLessThan(50);
      }),
    );
  });

  test('values are float32', () => {
    const [model] = sampleModels(1, 1);
    const { weights, images } = randomProblem(model ?? expect.fail(), 3, 1);
    for (const values of [weights, ...images]) {
      expect(Float32Array.from(values)).toEqual(Float32Array.from(values.map(Math.fround)));
      expect(values).toEqual(Float64Array.from(Float32Array.from(values)));
    }
  });

  test('problems keep away from kinks', () => {
    const margin = 1e-4;
    fc.assert(
      fc.property(arbitraryProblem({ margin, mostSamples: 3 }), ({ model, weights, images }) => {
        expect(images.every((image) => kinkMargin(model, weights, image) >= margin)).toBe(true);
      }),
    );
  });

  test('problems are the same for the same seed', () => {
    const model = sampleModels(1, 5)[0] ?? expect.fail();
    expect(randomProblem(model, 4, 9)).toEqual(randomProblem(model, 4, 9));
    expect(randomProblem(model, 4, 9).weights).not.toEqual(randomProblem(model, 4, 8).weights);
    expect(sampleModels(1, 5)[0]?.spec).toEqual(model.spec);
  });

  test('a counterexample prints as its model and its seed', () => {
    const [problem] = fc.sample(arbitraryProblem(), { numRuns: 1, seed: 1 });
    expect(fc.stringify(problem)).toMatch(/^randomProblem\(buildModel\(\{.*\}\), \d+, \d+, 0\)$/);
  });
});
