import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  layers as keras,
  type LayersModel,
  model,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { sizeOf, type Model, type PlacedLayer } from '../../src/model/model.js';
import type { Problem } from './problems.js';

tf.enableProdMode();

/** What TensorFlow.js makes of a problem, in float32. */
export interface TensorFlowResult {
  /** Of the trainable arrays. */
  readonly shapes: readonly (readonly number[])[];
  /** Of all samples. */
  readonly outputs: Float32Array;
  readonly loss: number;
  readonly gradient: Float32Array;
}

/** The Keras layer that a layer describes. */
function kerasLayer({ name, layer, input }: PlacedLayer): keras.Layer {
  switch (layer.type) {
    case 'conv2d':
      return keras.conv2d({
        name,
        filters: layer.filters,
        kernelSize: [...layer.kernel],
        strides: [...layer.strides],
        padding: layer.padding,
      });
    case 'maxPool2d':
    case 'averagePool2d': {
      const pool = layer.type === 'maxPool2d' ? keras.maxPooling2d : keras.averagePooling2d;
      return pool({
        poolSize: [...layer.size],
        strides: [...layer.strides],
        padding: layer.padding,
      });
    }
    case 'globalAveragePool2d':
      return keras.globalAveragePooling2d({ dataFormat: 'channelsLast' });
    case 'zeroPadding2d': {
      const [rows, columns] = layer.zeros;
      return keras.zeroPadding2d({ padding: [[...rows], [...columns]] });
    }
    case 'leakyReLU':
      return keras.leakyReLU({ alpha: layer.alpha });
    case 'elu':
      return keras.elu({ alpha: layer.alpha });
    case 'relu':
    case 'relu6':
    case 'tanh':
    case 'sigmoid':
    case 'softmax':
      return keras.activation({ activation: layer.type });
    case 'dropout':
      return keras.dropout({ rate: layer.rate });
    case 'add':
      return keras.add();
    case 'flatten':
      // Keras refuses to flatten what is flat.
      return input.length === 3 ? keras.flatten() : keras.reshape({ targetShape: [...input] });
    case 'dense':
      return keras.dense({ name, units: layer.units });
  }
}

function kerasModel({ spec, layers }: Model): LayersModel {
  const image = input({ shape: [...spec.input] });
  const values: SymbolicTensor[] = [];
  for (const placed of layers) {
    const taken = placed.inputs.map((from) => values[from] ?? image);
    const layer = kerasLayer(placed);
    values.push(
      layer.apply(placed.layer.type === 'add' ? taken : (taken[0] ?? image)) as SymbolicTensor,
    );
  }
  return model({ inputs: image, outputs: values.at(-1) ?? image });
}

function tensorsOf({ parameters }: Model, weights: Float64Array, layer: string): tf.Tensor[] {
  return parameters
    .filter(({ name }) => name.startsWith(`${layer}/`))
    .map(({ shape, offset, size }) =>
      tf.tensor(Float32Array.from(weights.subarray(offset, offset + size)), [...shape]),
    );
}

function asVariable(tensor: tf.Tensor): tf.Variable {
  if (!isVariable(tensor)) {
    throw new TypeError('a weight that is not a variable');
  }
  return tensor;
}

function isVariable(tensor: tf.Tensor): tensor is tf.Variable {
  return tensor instanceof tf.Variable;
}

/** The sum over the samples of their losses. */
function lossOf({ loss, layers }: Model, outputs: tf.Tensor, labels: readonly number[]): tf.Scalar {
  const [count = 1] = layers.at(-1)?.output ?? [];
  const classes = tf.tensor1d([...labels], 'int32');
  const targets =
    count === 1 ? tf.cast(tf.reshape(classes, [-1, 1]), 'float32') : tf.oneHot(classes, count);
  const sum = tf.Reduction.SUM;
  switch (loss) {
    case 'softmaxCrossEntropy':
      return tf.losses.softmaxCrossEntropy(targets, outputs, undefined, undefined, sum);
    case 'binaryCrossEntropy':
      return tf.div(
        tf.losses.sigmoidCrossEntropy(targets, outputs, undefined, undefined, sum),
        count,
      );
    case 'meanSquaredError':
      return tf.div(tf.losses.meanSquaredError(targets, outputs, undefined, sum), count);
  }
}

/** Has TensorFlow.js compute what the reference does, from a Keras model of the same layers. */
export function tensorFlow({
  model: described,
  weights,
  images,
  labels,
}: Problem): TensorFlowResult {
  return tf.tidy(() => {
    const net = kerasModel(described);
    const weighted = described.layers.filter(({ kernel }) => kernel !== undefined);
    const variables = weighted.flatMap(({ name }) => {
      const layer = net.getLayer(name);
      layer.setWeights(tensorsOf(described, weights, name));
      return layer.trainableWeights.map((weight) => asVariable(weight.read()));
    });
    const pixels = Float32Array.from(images.flatMap((image) => [...image]));
    const batch = tf.tensor4d(pixels, [images.length, ...described.spec.input]);
    const outputsOf = (): tf.Tensor => net.apply(batch) as tf.Tensor;
    const { value, grads } = tf.variableGrads(
      () => lossOf(described, outputsOf(), labels),
      variables,
    );
    const gradient = new Float32Array(described.parameterCount);
    let offset = 0;
    for (const variable of variables) {
      gradient.set(grads[variable.name]?.dataSync() ?? [], offset);
      offset += sizeOf(variable.shape);
    }
    const result = {
      shapes: variables.map(({ shape }) => shape),
      outputs: outputsOf().dataSync<'float32'>(),
      loss: value.dataSync()[0] ?? NaN,
      gradient,
    };
    net.dispose();
    return result;
  });
}
