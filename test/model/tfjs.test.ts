import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { ModelSpec } from '../../src/model/layers.js';
import { buildModel, sizeOf } from '../../src/model/model.js';
import { tfjsFiles } from '../../src/model/files/tfjs.js';
import { largestRelativeError } from '../reference/compare.js';
import { randomNumbers, randomValues } from '../reference/random.js';
import { bits, graph, randomWeights, readTrained, specs, tiny, writeTfjs } from './helpers.js';
import { loadInTensorFlow, predict, probabilities } from './tensorflow.js';

/** TensorFlow.js has an elu of no other alpha than 1. */
const writable: ModelSpec = {
  ...graph,
  layers: graph.layers.map((layer) => (layer.type === 'elu' ? { ...layer, alpha: 1 } : layer)),
};

describe('tfjsFiles', () => {
  it.each([...specs, writable])(
    'writes $name so that TensorFlow.js predicts what it should',
    async (spec) => {
      const model = buildModel(spec);
      const weights = randomWeights(model, 1);
      const loaded = await loadInTensorFlow(await writeTfjs(model, weights));
      const pixels = Float32Array.from(randomValues(randomNumbers(2), 4 * sizeOf(spec.input), 1));

      const expected = probabilities(model, weights, pixels);
      expect(Math.min(...expected)).toBeGreaterThan(1e-4);
      expect(largestRelativeError(predict(loaded, pixels), expected).error).toBeLessThan(1e-5);
      expect(loaded.getUserDefinedMetadata()).toMatchObject({ dtrain: { model: spec.name } });
    },
  );

  it('writes the weights and nothing else to weights.bin', () => {
    const { modelJson, weightsBin } = tfjsFiles(tiny, Float32Array.of(1, -0, 2 ** -149, 3, 4, 5));
    expect(Buffer.from(weightsBin).toString('hex')).toBe(
      '0000803f' + '00000080' + '01000000' + '00004040' + '00008040' + '0000a040',
    );
    expect(JSON.parse(modelJson)).toMatchObject({
      format: 'layers-model',
      weightsManifest: [{ paths: ['weights.bin'] }],
    });
  });

  it('writes no layer that Keras would refuse: a flatten of what is flat', async () => {
    const { spec } = tiny;
    const model = buildModel({ ...spec, layers: [{ type: 'flatten' }, ...spec.layers] });
    const path = await writeTfjs(model, randomWeights(model, 1));
    expect((await loadInTensorFlow(path)).layers.map((layer) => layer.getClassName())).toEqual([
      'Flatten',
      'Activation',
      'Dense',
      'Activation',
    ]);
  });

  it('does not take the weights of another model', () => {
    expect(() => tfjsFiles(tiny, new Float32Array(5))).toThrow(RangeError);
  });
});

describe('readTfjsModel', () => {
  it.each([...specs, graph])('reads $name back, every bit of it', async (spec) => {
    const model = buildModel(spec);
    const weights = randomWeights(model, 3);
    weights.set([-0, 2 ** -149, -(2 ** -140), 3.4028234663852886e38]);
    const path = await writeTfjs(model, weights);

    const read = await readTrained(path);
    expect(read.model).toEqual(model);
    expect(bits(read.weights)).toEqual(bits(weights));
    const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
    expect(sum(await readFile(join(dirname(path), 'weights.bin')))).toBe(
      sum(new Uint8Array(weights.buffer)),
    );
  });
});
