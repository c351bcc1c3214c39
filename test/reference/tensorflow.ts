import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers as keras, sequential, type Sequential } from '@tensorflow/tfjs-layers';
import { sizeOf, type Model, type PlacedLayer } from '../../src/model/model.js';
import type { Problem } from './problems.js';

tf.enableProdMode();

/** What TensorFlow.js makes of a problem, in float32. */
export interface TensorFlowResult {
  /** Of the trainable arrays. */
  readonly shapes: readonly (readonly number[])[];
  /** Of all samples. */
  readonly logits: Float32Array;
  readonly loss: number;
  readonly gradient: Float32Array;
}

/** The Keras layer that a layer describes. */
function kerasLayer({ layer, input }: PlacedLayer): keras.Layer {
  switch (layer.type) {
    case 'conv2d':
      return keras.conv2d({
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
    case 'relu':
    case 'tanh':
    case 'sigmoid':
      return keras.activation({ activation: layer.type });
    case 'flatten':
      // Keras refuses to flatten what is flat.
      return input.length === 3 ? keras.flatten() : keras.reshape({ targetShape: [...input] });
    case 'dense':
      return keras.dense({ units: layer.units });
  }
}

function kerasModel(model: Model, weights: Float64Array): Sequential {
  const net = sequential();
  net.add(keras.inputLayer({ inputShape: [...model.spec.input] }));
  for (const placed of model.layers) {
    net.add(kerasLayer(placed));
  }
  net.setWeights(
    model.parameters.map(({ shape, offset, size }) =>
      tf.tensor(Float32Array.from(weights.subarray(offset, offset + size)), [...shape]),
    ),
  );
  return net;
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

/** Has TensorFlow.js compute what the reference does, from a Keras model of the same layers. */
export function tensorFlow({ model, weights, images, labels }: Problem): TensorFlowResult {
  return tf.tidy(() => {
    const net = kerasModel(model, weights);
    const variables = net.trainableWeights.map((weight) => asVariable(weight.read()));
    const pixels = Float32Array.from(images.flatMap((image) => [...image]));
    const batch = tf.tensor4d(pixels, [images.length, ...model.spec.input]);
    const targets = tf.oneHot(tf.tensor1d([...labels], 'int32'), model.classes);
    const logitsOf = (): tf.Tensor2D => net.apply(batch) as tf.Tensor2D;
    const { value, grads } = tf.variableGrads(
      () =>
        tf.losses.softmaxCrossEntropy(targets, logitsOf(), undefined, undefined, tf.Reduction.SUM),
      variables,
    );
    const gradient = new Float32Array(model.parameterCount);
    let offset = 0;
    for (const variable of variables) {
      gradient.set(grads[variable.name]?.dataSync() ?? [], offset);
      offset += sizeOf(variable.shape);
    }
    const result = {
      shapes: variables.map(({ shape }) => shape),
      logits: logitsOf().dataSync<'float32'>(),
      loss: value.dataSync()[0] ?? NaN,
      gradient,
    };
    net.dispose();
    return result;
  });
}
