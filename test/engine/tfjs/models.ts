import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { layers as keras, type LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { parseTopology, type Topology } from '../../../src/engine/tfjs/topology.js';

/** Has layers work on the input one after the other. */
export function chain(input: SymbolicTensor, ...layers: keras.Layer[]): SymbolicTensor {
  return layers.reduce((x, layer) => layer.apply(x) as SymbolicTensor, input);
}

export function functional(
  shape: number[],
  make: (input: SymbolicTensor) => SymbolicTensor,
): LayersModel {
  const input = tfl.input({ shape });
  return tfl.model({ inputs: input, outputs: make(input) });
}

/** What TensorFlow.js writes of a model as its `modelTopology`, checked. */
export function topologyOf(model: LayersModel): Topology {
  const topology = parseTopology(JSON.parse(model.toJSON(null, true) as string));
  model.dispose();
  return topology;
}

/** A residual block with batch normalisation, as many networks have them. */
export function residual(): LayersModel {
  return functional([8, 8, 2], (input) => {
    const convolution = () =>
      keras.conv2d({ filters: 5, kernelSize: 3, padding: 'same', useBias: false });
    const first = chain(input, convolution(), keras.batchNormalization(), keras.reLU());
    const second = chain(first, convolution(), keras.batchNormalization({ momentum: 0.9 }));
    const sum = keras.add().apply([first, second]) as SymbolicTensor;
    return chain(
      sum,
      keras.activation({ activation: 'relu' }),
      keras.globalAveragePooling2d({}),
      keras.dense({ units: 3, activation: 'softmax' }),
    );
  });
}

/** Depthwise and separable convolutions, with strides and average pooling. */
export function separable(): LayersModel {
  return functional([9, 8, 3], (input) =>
    chain(
      input,
      keras.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same' }),
      keras.leakyReLU({ alpha: 0.1 }),
      keras.separableConv2d({ filters: 4, kernelSize: 3, strides: 2, activation: 'elu' }),
      keras.averagePooling2d({ poolSize: 2, strides: 1, padding: 'valid' }),
      keras.flatten(),
      keras.layerNormalization(),
      keras.dense({ units: 4 }),
    ),
  );
}

/** 1-D convolutions over rows. */
export function oneDimensional(): LayersModel {
  return functional([12, 3], (input) =>
    chain(
      input,
      keras.conv1d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'tanh' }),
      keras.maxPooling1d({ poolSize: 2 }),
      keras.conv1d({ filters: 3, kernelSize: 2 }),
      keras.prelu(),
      keras.flatten(),
      keras.dense({ units: 3 }),
    ),
  );
}

/** An image made small and large again. */
export function transposed(): LayersModel {
  return functional([6, 6, 2], (input) => {
    const small = chain(input, keras.conv2d({ filters: 3, kernelSize: 2, strides: 2 }));
    const large = chain(
      small,
      keras.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 2, activation: 'sigmoid' }),
    );
    const both = keras.concatenate().apply([input, large]) as SymbolicTensor;
    return chain(
      both,
      keras.zeroPadding2d({ padding: 1 }),
      // The CPU backend's gradient of the nearest neighbour is wrong for more than one sample.
      keras.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
      keras.globalMaxPooling2d({}),
      keras.dense({ units: 2 }),
    );
  });
}

/** A recurrent layer over what an embedding makes of whole numbers. */
export function recurrent(): LayersModel {
  return functional([5], (input) =>
    chain(
      input,
      keras.reLU(),
      keras.embedding({ inputDim: 9, outputDim: 4 }),
      keras.lstm({ units: 3 }),
      keras.dense({ units: 2 }),
    ),
  );
}

/** `count` samples and labels, the same for the same seed. */
export function someSamples(
  size: number,
  count: number,
  classes: number,
  seed = 7,
): { samples: Float32Array; labels: Uint8Array } {
  return tf.tidy(() => ({
    samples: tf.randomNormal([count * size], 0, 1, 'float32', seed).dataSync<'float32'>(),
    labels: Uint8Array.from({ length: count }, (_, index) => (index * 5 + 1) % classes),
  }));
}
