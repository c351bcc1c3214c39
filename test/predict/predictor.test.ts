import { describe, expect, it } from 'vitest';
import { trainedModel } from '../../coordinator/run-model.js';
import { byteTable } from '../../src/data/normalise.js';
import { buildModel, sizeOf } from '../../src/model/model.js';
import { Predictor } from '../../src/predict/predictor.js';
import { probabilitiesOf } from '../../src/predict/probabilities.js';
import { kerasModel, randomWeights, specs, writeTfjs } from '../model/helpers.js';
import { loadInTensorFlow, predict } from '../model/tensorflow.js';
import { randomNumbers } from '../reference/random.js';

describe('a predictor', () => {
  it.each(specs)('says what TensorFlow.js does of $name', async (spec) => {
    const model = buildModel(spec);
    const weights = randomWeights(model, 3);
    const [, , channels] = spec.input;
    const means = [0.1, 0.2, 0.3].slice(0, channels);
    const table = byteTable({ scale: 255, mean: means, deviation: means.map((mean) => 2 * mean) });
    const predictor = await Predictor.of(model, weights, table);
    const theirs = await loadInTensorFlow(await writeTfjs(model, weights));
    const next = randomNumbers(3);
    for (let image = 0; image < 3; image++) {
      const bytes = Uint8Array.from({ length: sizeOf(spec.input) }, () => 256 * next());
      const values = Float32Array.from(bytes, (byte, at) => {
        return table[256 * (at % channels) + byte] ?? NaN;
      });
      const [ours, expected] = [predictor.classify(bytes), predict(theirs, values)];
      expect(ours).toHaveLength(model.classes);
      ours.forEach((share, index) => {
        expect(share).toBeCloseTo(expected[index] ?? NaN, 4);
      });
    }
  });
});

describe("a predictor of a model of Keras' converter", () => {
  // Of the samples that the models were trained on (see test/e2e/keras.test.ts), as Keras computes them.
  it.each([
    [
      'branches',
      'wasm',
      [
        0.926156, 0.680839, 0.930134, 0.73456, 0.583345, 0.776327, 0.454323, 0.502217, 0.644131,
        0.567069, 0.435122, 0.935433,
      ],
    ],
    [
      'separable',
      'tfjs',
      [
        0.981191, 1.02265, 0.805759, 0.957254, 0.993313, 0.875852, 0.862225, 1.064456, 0.951007,
        0.845273, 0.973629, 0.889239,
      ],
    ],
  ] as const)('has the losses that Keras finds: %s', async (name, engine, losses) => {
    const { model, weights } = await trainedModel(kerasModel(name), engine);
    const table = byteTable({ scale: 100, mean: [0], deviation: [1] });
    const predictor = await Predictor.of(model, weights, table);
    const found = losses.map((_, sample) => {
      const pixels = Uint8Array.from({ length: 36 }, (__, at) => ((sample * 36 + at) * 37) % 101);
      return -Math.log(predictor.classify(pixels)[sample % 3] ?? NaN);
    });
    losses.forEach((loss, sample) => {
      expect(found[sample], `sample ${sample}`).toBeCloseTo(loss, 5);
    });
  });
});

describe('the probabilities of outputs', () => {
  it('are their softmax, however large they are', () => {
    expect(probabilitiesOf([1000, 1000], 'softmaxCrossEntropy')).toEqual([0.5, 0.5]);
    const [first, second] = probabilitiesOf([0, Math.log(3)], 'softmaxCrossEntropy');
    expect(first).toBeCloseTo(0.25);
    expect(second).toBeCloseTo(0.75);
  });

  it('are their sigmoids, and of one output those of two classes', () => {
    expect(probabilitiesOf([0, 0, 0], 'binaryCrossEntropy')).toEqual([0.5, 0.5, 0.5]);
    const [no, yes] = probabilitiesOf([Math.log(4)], 'binaryCrossEntropy');
    expect(no).toBeCloseTo(0.2);
    expect(yes).toBeCloseTo(0.8);
  });

  it('are themselves where they were trained to be', () => {
    expect(probabilitiesOf([0.1, 0.9], 'meanSquaredError')).toEqual([0.1, 0.9]);
  });
});
