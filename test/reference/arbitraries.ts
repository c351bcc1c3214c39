import fc from 'fast-check';
import type { Conv2d, Layer, ModelSpec, Pair, Pool2d } from '../../src/model/layers.js';
import { buildModel, type Model } from '../../src/model/model.js';
import { arbitraryActivation, arbitraryConvolution, arbitraryPool } from './model-pieces.js';
import { randomBatch, randomProblem, randomWeights, type Batch, type Problem } from './problems.js';
import { outputsAlong } from './windows.js';

const MOST_IMAGE_LAYERS = 6;
const MOST_SAMPLES = 20;

/**
 * Small models of every kind that `buildModel` takes: 3..12 rows and columns of 1..4 channels; up
 * to six convolutions, poolings and activations in any order; a flatten layer, now and then
 * another one after it, which has nothing to do; one to three dense layers.
 *
 * Zeros after a relu tie in the windows of a max pooling layer all the time, and that is
 * harmless: the gradient that goes to any of them stops at the relu. See `kinkMargin` for the near
 * ties that are not harmless in float32.
 */
export function arbitraryModel(): fc.Arbitrary<ModelSpec> {
  const extent = fc.integer({ min: 3, max: 12 });
  const activation = fc.option(arbitraryActivation(), { nil: undefined });
  return fc
    .record({
      input: fc.tuple(extent, extent, fc.integer({ min: 1, max: 4 })),
      image: fc.array(fc.oneof(arbitraryConvolution(), arbitraryPool(), arbitraryActivation()), {
        maxLength: MOST_IMAGE_LAYERS,
      }),
      flattenTwice: fc.integer({ min: 0, max: 9 }).map((die) => die === 9),
      flattened: activation,
      hidden: fc.array(fc.record({ units: fc.integer({ min: 1, max: 13 }), then: activation }), {
        maxLength: 2,
      }),
      classes: fc.integer({ min: 2, max: 12 }),
    })
    .map(({ input, image, flattenTwice, flattened, hidden, classes }) => ({
      name: 'random',
      input,
      layers: [
        ...fitted([input[0], input[1]], image),
        { type: 'flatten' },
        ...(flattenTwice ? [{ type: 'flatten' } as const] : []),
        ...(flattened ? [flattened] : []),
        ...hidden.flatMap(({ units, then }): Layer[] => [
          { type: 'dense', units },
          ...(then ? [then] : []),
        ]),
        { type: 'dense', units: classes },
      ],
    }));
}

/** The layers with every valid window cut to the image that reaches it. */
function fitted(input: Pair, layers: readonly Layer[]): Layer[] {
  let [rows, columns] = input;
  return layers.map((layer) => {
    if (!('padding' in layer)) {
      return layer;
    }
    const wanted = windowOf(layer);
    const size: Pair =
      layer.padding === 'valid'
        ? [Math.min(wanted[0], rows), Math.min(wanted[1], columns)]
        : wanted;
    rows = outputsAlong(rows, size[0], layer.strides[0], layer.padding);
    columns = outputsAlong(columns, size[1], layer.strides[1], layer.padding);
    return layer.type === 'conv2d' ? { ...layer, kernel: size } : { ...layer, size };
  });
}

function windowOf(layer: Conv2d | Pool2d): Pair {
  return layer.type === 'conv2d' ? layer.kernel : layer.size;
}

/** Seeds; a smaller one is not a simpler one. */
function seeds(): fc.Arbitrary<number> {
  return fc.noShrink(fc.nat(0xffff_ffff));
}

/** 1..20 samples for a model. */
export function arbitraryBatch(model: Model): fc.Arbitrary<Batch> {
  return fc
    .record({ samples: fc.integer({ min: 1, max: MOST_SAMPLES }), seed: seeds() })
    .map(({ samples, seed }) => randomBatch(model, samples, seed));
}

/** Weights for a model, as of `randomWeights`. */
export function arbitraryWeights(model: Model): fc.Arbitrary<Float64Array> {
  return seeds().map((seed) => randomWeights(model, seed));
}

/** What kind of problems are wanted. */
export interface ProblemOptions {
  /** Which models there may be; `arbitraryModel()` unless given. */
  readonly models?: fc.Arbitrary<ModelSpec>;
  readonly mostSamples?: number;
  /** As of `randomProblem`. */
  readonly margin?: number;
}

/** A model with weights and samples. A counterexample prints as its model and its seed. */
export function arbitraryProblem(options: ProblemOptions = {}): fc.Arbitrary<Problem> {
  const { models = arbitraryModel(), mostSamples = MOST_SAMPLES, margin = 0 } = options;
  return fc
    .record({ spec: models, samples: fc.integer({ min: 1, max: mostSamples }), seed: seeds() })
    .map(({ spec, samples, seed }) => ({
      ...randomProblem(buildModel(spec), samples, seed, margin),
      [fc.toStringMethod]: () =>
        `randomProblem(buildModel(${JSON.stringify(spec)}), ${samples}, ${seed}, ${margin})`,
    }));
}

/** The same random models for the same seed, for tests that are not properties. */
export function sampleModels(count: number, seed: number): Model[] {
  return fc.sample(arbitraryModel(), { numRuns: count, seed }).map(buildModel);
}
