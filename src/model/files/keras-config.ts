import type { Model, PlacedLayer } from '../model.js';

/** A layer as it stands in a Keras model's config. */
interface KerasLayer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * A model's layers and a softmax behind them as TensorFlow.js writes a Sequential's, so that
 * predictions are probabilities.
 */
export function kerasConfig({ spec, layers }: Model): KerasLayer[] {
  const softmax = { class_name: 'Activation', config: { name: 'softmax', activation: 'softmax' } };
  return [...layers.map(kerasLayer), softmax].map(({ class_name, config }, index) => ({
    class_name,
    config: {
      ...config,
      trainable: true,
      ...(index === 0 && { batch_input_shape: [null, ...spec.input] }),
      dtype: 'float32',
    },
  }));
}

function kerasLayer({ name, layer, input }: PlacedLayer): KerasLayer {
  const image = { name, data_format: 'channels_last' };
  const weighted = { activation: 'linear', use_bias: true };
  switch (layer.type) {
    case 'conv2d': {
      const { filters, kernel, strides, padding } = layer;
      const window = { kernel_size: kernel, strides, padding, dilation_rate: [1, 1] };
      return { class_name: 'Conv2D', config: { ...image, filters, ...window, ...weighted } };
    }
    case 'maxPool2d':
    case 'averagePool2d': {
      const { size, strides, padding } = layer;
      const class_name = layer.type === 'maxPool2d' ? 'MaxPooling2D' : 'AveragePooling2D';
      return { class_name, config: { ...image, pool_size: size, strides, padding } };
    }
    case 'globalAveragePool2d':
      return { class_name: 'GlobalAveragePooling2D', config: image };
    case 'zeroPadding2d':
      return { class_name: 'ZeroPadding2D', config: { ...image, padding: layer.zeros } };
    case 'leakyReLU':
      return { class_name: 'LeakyReLU', config: { name, alpha: layer.alpha } };
    case 'elu':
      return { class_name: 'ELU', config: { name, alpha: layer.alpha } };
    case 'relu':
    case 'relu6':
    case 'tanh':
    case 'sigmoid':
    case 'softmax':
      return { class_name: 'Activation', config: { name, activation: layer.type } };
    case 'flatten':
      // Keras refuses to flatten what is flat.
      return input.length === 1
        ? { class_name: 'Activation', config: { name, activation: 'linear' } }
        : { class_name: 'Flatten', config: image };
    case 'dropout':
      return { class_name: 'Dropout', config: { name, rate: layer.rate } };
    case 'add':
      return { class_name: 'Add', config: { name } };
    case 'dense':
      return { class_name: 'Dense', config: { name, units: layer.units, ...weighted } };
  }
}
