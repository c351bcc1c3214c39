import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  layers,
  model as functional,
  sequential,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildModel, sizeOf } from '../../src/model/model.js';
import { largestRelativeError } from '../reference/compare.js';
import { randomNumbers, randomValues } from '../reference/random.js';
import { bits, everyLayer, randomWeights, readTrained, writeTfjs } from './helpers.js';
import { loadInTensorFlow, predict, probabilities, saveInTensorFlow } from './tensorflow.js';

const convolution = { filters: 5, kernelSize: [2, 3], strides: [2, 1], padding: 'same' } as const;
const inputShape = [9, 10, 2];

/** A layer of each kind, with activations in the layers' own configs and beside them. */
const models = {
  'activations fused into layers, softmax too': () =>
    sequential({
      layers: [
        layers.conv2d({
          ...convolution,
          kernelSize: [2, 3],
          strides: [2, 1],
          activation: 'relu',
          inputShape,
        }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.conv2d({ filters: 3, kernelSize: 2, activation: 'sigmoid' }),
        layers.flatten(),
        layers.dense({ units: 6, activation: 'tanh' }),
        layers.dense({ units: 4, activation: 'softmax' }),
      ],
    }),
  'an InputLayer, ReLU and Softmax': () =>
    sequential({
      layers: [
        layers.inputLayer({ inputShape }),
        layers.averagePooling2d({ poolSize: [3, 2], strides: [1, 2], padding: 'same' }),
        layers.reLU(),
        layers.conv2d({ filters: 3, kernelSize: [1, 2] }),
        layers.activation({ activation: 'linear' }),
        layers.flatten(),
        layers.dense({ units: 4 }),
        layers.softmax(),
      ],
    }),
  'a functional model with branches': () => {
    const image = input({ shape: inputShape, name: 'image' });
    const at = (layer: layers.Layer, ...taken: SymbolicTensor[]): SymbolicTensor =>
      layer.apply(taken.length === 1 ? (taken[0] ?? image) : taken) as SymbolicTensor;
    const padded = at(layers.zeroPadding2d({ padding: [1, 1] }), image);
    const convolved = at(layers.conv2d({ filters: 2, kernelSize: 3, name: 'stem' }), padded);
    const added = at(layers.add(), at(layers.leakyReLU(), convolved), image);
    const branch = at(layers.conv2d({ ...convolution, kernelSize: 1, strides: 1 }), added);
    const other = at(layers.conv2d({ ...convolution, kernelSize: 1, strides: 1 }), added);
    const sum = at(
      layers.add(),
      branch,
      at(layers.elu(), other),
      at(layers.reLU({ maxValue: 6 }), other),
    );
    const means = at(layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }), sum);
    const kept = at(layers.dropout({ rate: 0.5 }), means);
    const outputs = at(layers.dense({ units: 3, activation: 'softmax' }), kept);
    return functional({ inputs: image, outputs });
  },
  'a softmax Activation': () =>
    sequential({
      layers: [
        layers.flatten({ inputShape }),
        layers.dense({ units: 3 }),
        layers.activation({ activation: 'softmax' }),
      ],
    }),
};

const pixels = Float32Array.from(randomValues(randomNumbers(5), 3 * sizeOf(inputShape), 1));

describe('readTfjsModel of what TensorFlow.js saved', () => {
  it.each(Object.entries(models))('reads %s', async (_title, make) => {
    const theirs = make();
    const path = await saveInTensorFlow(theirs);
    const { model, weights } = await readTrained(path);
    const expected = probabilities(model, weights, pixels);
    expect(largestRelativeError(predict(theirs, pixels), expected).error).toBeLessThan(1e-5);
  });

  it('takes a model without a softmax for one that ends in logits', async () => {
    const theirs = sequential({
      layers: [layers.flatten({ inputShape: [1, 2, 1] }), layers.dense({ units: 2 })],
    });
    theirs.setWeights([tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor1d([5, 6])]);
    const { model, weights } = await readTrained(await saveInTensorFlow(theirs));
    expect(model.spec.layers).toMatchObject([{ type: 'flatten' }, { type: 'dense', units: 2 }]);
    expect(model.spec.name).toMatch(/^sequential_\d+$/);
    expect([...weights]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('reads our own model again after TensorFlow.js loaded and saved it', async () => {
    const model = buildModel(everyLayer);
    const weights = randomWeights(model, 6);
    const loaded = await loadInTensorFlow(await writeTfjs(model, weights));
    const read = await readTrained(await saveInTensorFlow(loaded));
    expect(read.model).toEqual(model);
    expect(bits(read.weights)).toEqual(bits(weights));
  });

  it('leaves out what an optimizer saved', async () => {
    const theirs = models['a softmax Activation']();
    theirs.compile({ optimizer: tf.train.adam(), loss: 'categoricalCrossentropy' });
    const labels = tf.oneHot(tf.tensor1d([0, 1, 2], 'int32'), 3);
    await theirs.trainOnBatch(tf.tensor(pixels, [3, ...inputShape]), labels);
    const path = await saveInTensorFlow(theirs, { includeOptimizer: true });
    expect(await readFile(path, 'utf8')).toContain('"group":"optimizer"');
    const { model, weights } = await readTrained(path);
    const expected = probabilities(model, weights, pixels);
    expect(largestRelativeError(predict(theirs, pixels), expected).error).toBeLessThan(1e-5);
  });

  it.each([
    ['meanSquaredError', 'meanSquaredError'],
    ['categoricalCrossentropy', undefined],
    ['binaryCrossentropy', 'binaryCrossEntropy'],
  ])('has the loss that it was compiled with, %s', async (loss, expected) => {
    const activation = loss === 'binaryCrossentropy' ? 'sigmoid' : 'softmax';
    const theirs = sequential({
      layers: [layers.flatten({ inputShape }), layers.dense({ units: 3, activation })],
    });
    theirs.compile({ optimizer: 'sgd', loss });
    const path = await saveInTensorFlow(theirs, { includeOptimizer: true });
    const { model, weights } = await readTrained(path);
    expect(model.spec.loss).toBe(expected);
    const same = probabilities(model, weights, pixels);
    expect(largestRelativeError(predict(theirs, pixels), same).error).toBeLessThan(1e-5);
    expect((await readTrained(await writeTfjs(model, weights))).model.spec).toEqual(model.spec);
  });

  it('joins the shards of the weights', async () => {
    const path = await saveInTensorFlow(models['a softmax Activation']());
    const whole = await readTrained(path);
    const folder = dirname(path);
    const bytes = await readFile(join(folder, 'model.weights.bin'));
    await writeFile(join(folder, 'shard1'), bytes.subarray(0, 101));
    await writeFile(join(folder, 'shard2'), bytes.subarray(101, 102));
    await writeFile(join(folder, 'shard3'), bytes.subarray(102));
    const text = await readFile(path, 'utf8');
    const single = '"./model.weights.bin"';
    expect(text).toContain(single);
    await writeFile(path, text.replace(single, '"shard1","./shard2","shard3"'));
    expect(await readTrained(path)).toEqual(whole);
  });

  it("reads a topology of Keras' own, one level deeper", async () => {
    const path = await saveInTensorFlow(models['a softmax Activation']());
    const whole = await readTrained(path);
    const content = JSON.parse(await readFile(path, 'utf8')) as { modelTopology: unknown };
    const modelTopology = { keras_version: '2.15.0', model_config: content.modelTopology };
    await writeFile(path, JSON.stringify({ ...content, modelTopology }));
    expect(await readTrained(path)).toEqual(whole);
  });
});
