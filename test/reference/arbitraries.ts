import fc from 'fast-check';
import {
  type Conv2d,
  type Layer,
  losses,
  type ModelSpec,
  type Pair,
  type Pool2d,
  type Shape,
} from '../../src/model/layers.js';
import { buildModel, type Model } from '../../src/model/model.js';
import { outputShape } from '../../src/model/shapes.js';
import { arbitraryActivation, arbitraryImageLayer } from './model-pieces.js';
import { randomBatch, randomProblem, randomWeights, type Batch, type Problem } from './problems.js';

const MOST_IMAGE_LAYERS = 6;
const MOST_SAMPLES = 20;

/**
 * Small models of every kind that `buildModel` takes: 3..12 rows and columns of 1..4 channels; up
 * to six layers that take images in any order, now and then an earlier value added to what they
 * make; a flatten layer, now and then another one after it, which has nothing to do, or the
 * average of each channel; one to three dense layers; any loss.
 *
 * Zeros after a relu tie in the windows of a max pooling layer all the time, and that is
 * harmless: the gradient that goes to any of them stops at the relu. See `kinkMargin` for the near
 * ties that are not harmless in float32.
 */
export function arbitraryModel(): fc.Arbitrary<ModelSpec> {
  const extent = fc.integer({ min: 3, max: 12 });
  const activation = fc.option(arbitraryActivation(), { nil: undefined });
  const oneIn = (count: number) => fc.integer({ min: 1, max: count }).map((die) => die === count);
  const branch = fc.option(fc.nat(), { nil: undefined });
  return fc
    .record({
      input: fc.tuple(extent, extent, fc.integer({ min: 1, max: 4 })),
      image: fc.array(fc.record({ layer: arbitraryImageLayer(), branch }), {
        maxLength: MOST_IMAGE_LAYERS,
      }),
      averaged: oneIn(5),
      flattenTwice: oneIn(10),
      flattened: activation,
      hidden: fc.array(
        fc.record({ units: fc.integer({ min: 1, max: 13 }), then: activation, branch }),
        { maxLength: 2 },
      ),
      classes: fc.integer({ min: 2, max: 12 }),
      loss: fc.constantFrom(...losses),
      single: oneIn(3),
      probabilities: oneIn(2),
    })
    .map((drawn) => {
      const growing = new GrowingModel(drawn.input);
      for (const { layer, branch: chosen } of drawn.image) {
        growing.then(layer);
        growing.addEarlier(chosen);
      }
      growing.then({ type: drawn.averaged ? 'globalAveragePool2d' : 'flatten' });
      if (drawn.flattenTwice) growing.then({ type: 'flatten' });
      if (drawn.flattened) growing.then(drawn.flattened);
      for (const { units, then, branch: chosen } of drawn.hidden) {
        growing.then({ type: 'dense', units });
        if (then) growing.then(then);
        growing.addEarlier(chosen);
      }
      const { loss } = drawn;
      const single = drawn.single && loss === 'binaryCrossEntropy';
      growing.then({ type: 'dense', units: single ? 1 : drawn.classes });
      if (drawn.probabilities && loss === 'meanSquaredError') growing.then({ type: 'softmax' });
      return { name: 'random', input: drawn.input, loss, layers: growing.layers };
    });
}

/** A model to which one layer after the other is added. */
class GrowingModel {
  readonly layers: Layer[] = [];
  /** Of the sample, and of each layer's output. */
  readonly #shapes: Shape[];

  constructor(input: ModelSpec['input']) {
    this.#shapes = [input];
  }

  /** Adds a layer that takes the last one's output; its window, if it is valid, is cut to that. */
  then(layer: Layer): void {
    const input = this.#shapes.at(-1) ?? [1];
    const fitting = 'padding' in layer ? fitted([input[0], input[1] ?? 1], layer) : layer;
    this.layers.push(fitting);
    this.#shapes.push(outputShape(fitting, [input], 'random'));
  }

  /** Adds the last output and an earlier one of the same shape, or the sample, if there is one. */
  addEarlier(chosen: number | undefined): void {
    const last = this.layers.length - 1;
    const [shape = [1]] = this.#shapes.slice(-1);
    const alike = [...this.#shapes.keys()].filter(
      (place) => place <= last && String(this.#shapes[place]) === String(shape),
    );
    const from = alike[(chosen ?? 0) % alike.length];
    if (chosen === undefined || from === undefined) return;
    this.layers.push({ type: 'add', inputs: [last, from - 1] });
    this.#shapes.push(shape);
  }
}

/** The layer with a valid window cut to the image that reaches it. */
function fitted([rows, columns]: Pair, layer: Conv2d | Pool2d): Conv2d | Pool2d {
  if (layer.padding === 'same') return layer;
  const wanted = layer.type === 'conv2d' ? layer.kernel : layer.size;
  const size: Pair = [Math.min(wanted[0], rows), Math.min(wanted[1], columns)];
  return layer.type === 'conv2d' ? { ...layer, kernel: size } : { ...layer, size };
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
