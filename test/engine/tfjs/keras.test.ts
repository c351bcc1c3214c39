import { describe, expect, it } from 'vitest';
import { fromKeras } from '../../../src/engine/tfjs/keras.js';
import { parseTopology } from '../../../src/engine/tfjs/topology.js';

const policy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' } };

describe('what Keras 3 writes, for TensorFlow.js', () => {
  it('has shapes, types, slopes and axes by the names that it knows', () => {
    const layer = (class_name: string, config: object) => ({ class_name, config });
    expect(
      fromKeras([
        layer('InputLayer', { batch_shape: [null, 4], dtype: policy }),
        layer('LeakyReLU', { negative_slope: 0.1 }),
        layer('BatchNormalization', { axis: [3] }),
        { ...layer('SeparableConv2D', { kernel_size: [3, 3], kernel_initializer: 'zeros' }), x: 1 },
      ]),
    ).toEqual([
      layer('InputLayer', { batch_input_shape: [null, 4], dtype: 'float32' }),
      layer('LeakyReLU', { alpha: 0.1 }),
      layer('BatchNormalization', { axis: 3 }),
      layer('SeparableConv2D', { kernel_size: [3, 3] }),
    ]);
  });

  it('says what a layer takes as lists of names, and the same when it is brought there again', () => {
    const tensor = (name: string) => ({
      class_name: '__keras_tensor__',
      config: { shape: [null, 2], keras_history: [name, 0, 0] },
    });
    const add = {
      class_name: 'Add',
      config: { name: 'sum' },
      name: 'sum',
      inbound_nodes: [
        { args: [[tensor('a'), tensor('b')]], kwargs: { mask: null, training: true } },
      ],
    };
    const model = {
      class_name: 'Functional',
      config: { layers: [add], input_layers: ['a', 0, 0], output_layers: [['sum', 0, 0]] },
    };
    const taken = { training: true };
    const expected = {
      class_name: 'Functional',
      config: {
        layers: [{ ...add, inbound_nodes: [[['a', 0, 0, taken], ['b', 0, 0, taken]]] }], // prettier-ignore
        input_layers: [['a', 0, 0]],
        output_layers: [['sum', 0, 0]],
      },
    };
    expect(fromKeras(model)).toEqual(expected);
    expect(fromKeras(expected)).toEqual(expected);
  });

  it('is refused where TensorFlow.js would compute something else', () => {
    for (const [class_name, config, message] of [
      ['Conv2D', { groups: 2 }, /does not know "groups", which must be 1/],
      ['ReLU', { negative_slope: 0.1 }, /"negative_slope", which must be 0/],
      ['GlobalAveragePooling2D', { keepdims: true }, /"keepdims", which must be false/],
    ] as const) {
      const model = { class_name: 'Sequential', config: { layers: [{ class_name, config }] } };
      expect(() => parseTopology(model)).toThrow(message);
    }
  });

  it('may come from anybody: what lies too deep is refused', () => {
    let deep: unknown = 0;
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    const model = { class_name: 'Sequential', config: { layers: [deep] } };
    expect(() => parseTopology(model)).toThrow('it is too large');
  });
});
