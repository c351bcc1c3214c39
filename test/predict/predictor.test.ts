import { describe, expect, it } from 'vitest';
import { byteTable } from '../../src/data/normalise.js';
import { buildModel, sizeOf } from '../../src/model/model.js';
import { Predictor } from '../../src/predict/predictor.js';
import { probabilitiesOf } from '../../src/predict/probabilities.js';
import { randomWeights, specs, writeTfjs } from '../model/helpers.js';
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
