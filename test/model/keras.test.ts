import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTfjsModel } from '../../src/model/files/tfjs.js';
import { dtrainError, temporaryFolder } from './helpers.js';

async function written(content: unknown, weights: Float32Array = new Float32Array()) {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'group1-shard1of1.bin'), new Uint8Array(weights.buffer));
  await writeFile(join(folder, 'model.json'), JSON.stringify(content));
  return join(folder, 'model.json');
}

const policy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' } };
const common = { trainable: true, dtype: policy };

/** As Keras 3 writes a layer of a functional model. */
function keras3(class_name: string, name: string, config: object, ...taken: string[]) {
  const tensors = taken.map((layer) => ({
    class_name: '__keras_tensor__',
    config: { shape: [null, 2, 2, 1], dtype: 'float32', keras_history: [layer, 0, 0] },
  }));
  const args = tensors.length > 1 ? [tensors] : tensors;
  return {
    module: 'keras.layers',
    class_name,
    config: { ...common, name, ...config },
    registered_name: null,
    name,
    inbound_nodes: taken.length === 0 ? [] : [{ args, kwargs: {} }],
  };
}

/** As Keras 2 writes one. */
function keras2(class_name: string, name: string, config: object, ...taken: string[]) {
  const node = taken.map((layer) => [layer, 0, 0, {}]);
  return {
    class_name,
    config: { name, trainable: true, dtype: 'float32', ...config },
    name,
    inbound_nodes: taken.length === 0 ? [] : [node],
  };
}

const convolution = {
  filters: 1,
  kernel_size: [1, 1],
  strides: [1, 1],
  padding: 'same',
  data_format: 'channels_last',
  dilation_rate: [1, 1],
  groups: 1,
  activation: 'relu',
  use_bias: true,
};
const dense = { units: 2, activation: 'softmax', use_bias: true };

/** A residual block; its layers are not in the order in which they are computed. */
function residual<L>(layerOf: (...layer: Parameters<typeof keras2>) => L, inputConfig: object) {
  return [
    layerOf('InputLayer', 'image', inputConfig),
    layerOf('Dense', 'head', dense, 'flat'),
    layerOf('Conv2D', 'conv', convolution, 'image'),
    layerOf('Add', 'sum', {}, 'conv', 'image'),
    layerOf('Flatten', 'flat', { data_format: 'channels_last' }, 'sum'),
  ];
}

const expected = {
  name: 'block',
  input: [2, 2, 1],
  layers: [
    { type: 'conv2d', name: 'conv', filters: 1, kernel: [1, 1], strides: [1, 1], padding: 'same' },
    { type: 'relu' },
    { type: 'add', name: 'sum', inputs: [1, -1] },
    { type: 'flatten', name: 'flat' },
    { type: 'dense', name: 'head', units: 2 },
  ],
};

const manifest = (...names: string[]) => [
  {
    paths: ['group1-shard1of1.bin'],
    weights: names.map((name, index) => ({
      name,
      dtype: 'float32',
      shape: [[1, 1, 1, 1], [1], [4, 2], [2]][index],
    })),
  },
];
const weights = Float32Array.from({ length: 12 }, (_, index) => index);

describe("readTfjsModel of Keras' converter", () => {
  it('reads a functional model of Keras 2', async () => {
    const layers = residual(keras2, { batch_input_shape: [null, 2, 2, 1] });
    const ends = { input_layers: [['image', 0, 0]], output_layers: [['head', 0, 0]] };
    const config = { name: 'block', layers, ...ends };
    const path = await written(
      {
        format: 'layers-model',
        generatedBy: 'keras v2.15.0',
        convertedBy: 'TensorFlow.js Converter v4.22.0',
        modelTopology: {
          keras_version: '2.15.0',
          backend: 'tensorflow',
          model_config: { class_name: 'Functional', config },
          training_config: { loss: 'sparse_categorical_crossentropy', metrics: ['accuracy'] },
        },
        weightsManifest: manifest('conv/kernel', 'conv/bias', 'head/kernel', 'head/bias'),
      },
      weights,
    );
    const read = await readTfjsModel(path);
    expect(read.model.spec).toEqual(expected);
    expect(read.weights).toEqual(weights);
  });

  it('reads a functional model of Keras 3, with its names of weights and ends', async () => {
    const layers = residual(keras3, { batch_shape: [null, 2, 2, 1] });
    const ends = { input_layers: ['image', 0, 0], output_layers: [['head', 0, 0]] };
    const path = await written(
      {
        modelTopology: {
          keras_version: '3.5.0',
          model_config: { class_name: 'Functional', config: { name: 'block', layers, ...ends } },
          training_config: {
            loss: { class_name: 'CategoricalCrossentropy', config: { from_logits: false } },
          },
        },
        weightsManifest: manifest(
          'block/conv/kernel',
          'conv/bias',
          'head/head/kernel',
          'block/head/bias:0',
        ),
      },
      weights,
    );
    const read = await readTfjsModel(path);
    expect(read.model.spec).toEqual(expected);
    expect(read.weights).toEqual(weights);
  });

  it('reads a config alone, as a description', async () => {
    const layers = [
      { class_name: 'InputLayer', config: { name: 'i', batch_shape: [null, 2, 2, 1] } },
      { class_name: 'Flatten', config: { name: 'flatten' } },
      { class_name: 'Dense', config: { name: 'dense', units: 1, activation: 'sigmoid' } },
    ];
    const path = await written({ class_name: 'Sequential', config: { name: 'two', layers } });
    const { model, weights: none } = await readTfjsModel(path);
    expect(none).toBeUndefined();
    expect(model).toMatchObject({ loss: 'binaryCrossEntropy', classes: 2 });
  });

  const changed = (change: (layers: ReturnType<typeof keras2>[]) => unknown, ends = {}) => {
    const layers = residual(keras2, { batch_input_shape: [null, 2, 2, 1] });
    change(layers);
    return { modelTopology: { class_name: 'Functional', config: { layers, ...ends } } };
  };
  it.each<[string, unknown, string]>([
    [
      'a layer that is used twice',
      changed((layers) => layers[2]?.inbound_nodes.push([['sum', 0, 0, {}]])),
      'layer "conv" (Conv2D): it is used in several places',
    ],
    [
      'layers that wait for each other',
      changed((layers) => layers.splice(2, 1, keras2('Conv2D', 'conv', convolution, 'sum'))),
      'layer "head" (Dense): what it takes is nowhere in the model',
    ],
    [
      'a layer that takes nothing',
      changed((layers) => layers.splice(2, 1, keras2('Conv2D', 'conv', convolution))),
      'layer "conv" (Conv2D): its inbound_nodes name no layer',
    ],
    [
      'two layers of one name',
      changed((layers) => layers.push(keras2('Flatten', 'flat', {}, 'sum'))),
      'layer "flat" (Flatten): another layer has the same name',
    ],
    [
      'two outputs',
      changed(() => undefined, {
        output_layers: [
          ['head', 0, 0],
          ['sum', 0, 0],
        ],
      }),
      'it has 2 outputs',
    ],
    [
      'an output that is not what its loss wants',
      { ...changed(() => undefined), trainingConfig: { loss: 'binary_crossentropy' } },
      'layer "head" (Dense): its softmax is not the sigmoid or none',
    ],
    [
      'a loss that dtrain lacks',
      { ...changed(() => undefined), trainingConfig: { loss: 'hinge' } },
      'its loss "hinge" is not categorical or binary cross-entropy',
    ],
  ])('refuses %s', async (_title, content, part) => {
    const path = await written(content);
    await expect(readTfjsModel(path)).rejects.toEqual(dtrainError('MODEL_FILE', path, part));
  });
});
