import { containedLayers } from '../losses.js';
import type { Model, PlacedLayer } from '../model.js';

/** A layer as it stands in a Keras model's config. */
interface KerasLayer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>> & { readonly name: string };
}

/** A layer in a functional model, with the layers whose outputs it takes. */
interface GraphLayer extends KerasLayer {
  readonly name: string;
  readonly inbound_nodes: readonly (readonly [string, 0, 0, object])[][];
}

interface KerasConfig {
  readonly class_name: 'Sequential' | 'Functional';
  readonly config: {
    readonly name: string;
    readonly layers: readonly KerasLayer[];
    readonly input_layers?: readonly (readonly [string, 0, 0])[];
    readonly output_layers?: readonly (readonly [string, 0, 0])[];
  };
}

/**
 * A model as TensorFlow.js writes its topology: a Sequential if it is a chain, else a functional
 * model. What its loss contains is its last layer there, so that predictions are probabilities.
 */
export function kerasConfig(model: Model): KerasConfig {
  const { spec, layers } = model;
  const written = layers.map(kerasLayer);
  const end = containedLayers[model.loss];
  if (end !== undefined) {
    const config = { name: freeName(end, layers), activation: end };
    written.push({ class_name: 'Activation', config });
  }
  const { name } = spec;
  const shape = { batch_input_shape: [null, ...spec.input] };
  if (layers.every(({ inputs }, index) => inputs.length === 1 && inputs[0] === index - 1)) {
    const chain = written.map((layer, index) => withCommon(layer, index === 0 ? shape : {}));
    return { class_name: 'Sequential', config: { name, layers: chain } };
  }
  const sample = freeName('input', layers);
  const takes = [...layers.map(({ inputs }) => inputs), [layers.length - 1]];
  const nameAt = (index: number): string => layers[index]?.name ?? sample;
  const graph = written.map((layer, index): GraphLayer => {
    const inputs = (takes[index] ?? []).map((from) => [nameAt(from), 0, 0, {}] as const);
    return { ...withCommon(layer), name: layer.config.name, inbound_nodes: [inputs] };
  });
  const inputLayer: GraphLayer = {
    class_name: 'InputLayer',
    config: { name: sample, ...shape, dtype: 'float32', sparse: false },
    name: sample,
    inbound_nodes: [],
  };
  const last = graph.at(-1)?.name ?? sample;
  const ends = { input_layers: [[sample, 0, 0]], output_layers: [[last, 0, 0]] } as const;
  return { class_name: 'Functional', config: { name, layers: [inputLayer, ...graph], ...ends } };
}

function withCommon({ class_name, config }: KerasLayer, more: object = {}): KerasLayer {
  return { class_name, config: { ...config, trainable: true, ...more, dtype: 'float32' } };
}

function freeName(wanted: string, layers: readonly PlacedLayer[]): string {
  let name = wanted;
  while (layers.some((layer) => layer.name === name)) name += '_';
  return name;
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
