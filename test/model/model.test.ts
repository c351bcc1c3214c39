import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Layer, type ModelSpec, type Padding, SAMPLE } from '../../src/model/layers.js';
import { lenet5, lenet5Of1998 } from '../../src/model/lenet5.js';
import { buildModel, sizeOf } from '../../src/model/model.js';
import { windowAxis } from '../../src/model/shapes.js';
import { dtrainError, everyLayer, thrown } from './helpers.js';

function withLayers(...layers: Layer[]): ModelSpec {
  return { name: 'm', input: [8, 9, 1], layers };
}

describe('windowAxis', () => {
  it('pads as TensorFlow does', () => {
    const extent = fc.integer({ min: 1, max: 40 });
    const paddings = fc.constantFrom<Padding>('same', 'valid');
    const property = fc.property(
      extent,
      extent,
      fc.integer({ min: 1, max: 7 }),
      paddings,
      (input, size, stride, padding) => {
        fc.pre(padding === 'same' || size <= input);
        const theirs = tf.backend_util.computeConv2DInfo(
          [1, input, 1, 1],
          [size, 1, 1, 1],
          stride,
          1,
          padding,
        );
        expect(windowAxis(input, size, stride, padding)).toEqual({
          outputs: theirs.outHeight,
          before: theirs.padInfo.top,
        });
      },
    );
    fc.assert(property, { numRuns: 1000 });
  });

  it('has no output where a valid window does not fit', () => {
    expect(windowAxis(4, 5, 1, 'valid').outputs).toBe(0);
  });
});

describe('buildModel', () => {
  it.each([lenet5, lenet5Of1998])('gives $name its 61,706 parameters', (spec) => {
    expect(buildModel(spec)).toMatchObject({ parameterCount: 61_706, classes: 10, spec });
  });

  it('works out the shapes of every layer', () => {
    expect(buildModel(everyLayer).layers.map(({ output }) => output)).toEqual([
      ...[
        [6, 14, 5],
        [6, 14, 5],
        [6, 7, 5],
      ],
      ...[
        [6, 2, 4],
        [6, 2, 4],
        [3, 1, 4],
      ],
      ...[[12], [7], [7], [3]],
    ]);
  });

  it('names parameters as Keras does and leaves no gap between them', () => {
    const { parameters, parameterCount } = buildModel(everyLayer);
    expect(parameters.map(({ name, shape }) => [name, shape])).toEqual([
      ['conv2d_1/kernel', [2, 3, 3, 5]],
      ['conv2d_1/bias', [5]],
      ['conv2d_2/kernel', [1, 4, 5, 4]],
      ['conv2d_2/bias', [4]],
      ['dense_1/kernel', [12, 7]],
      ['dense_1/bias', [7]],
      ['dense_2/kernel', [7, 3]],
      ['dense_2/bias', [3]],
    ]);
    let end = 0;
    for (const { offset, size, shape } of parameters) {
      expect({ offset, size }).toEqual({ offset: end, size: sizeOf(shape) });
      end += size;
    }
    expect(parameterCount).toBe(end);
  });

  it('takes a graph of layers, each after its inputs', () => {
    const { layers } = buildModel({
      name: 'm',
      input: [4, 4, 2],
      layers: [
        { type: 'conv2d', filters: 2, kernel: [3, 3], strides: [1, 1], padding: 'same' },
        { type: 'add', inputs: [0, SAMPLE] },
        { type: 'globalAveragePool2d' },
        { type: 'dense', units: 2, inputs: [2] },
      ],
    });
    expect(layers.map(({ inputs }) => inputs)).toEqual([[SAMPLE], [0, SAMPLE], [1], [2]]);
    expect(layers.map(({ output }) => output)).toEqual([[4, 4, 2], [4, 4, 2], [2], [2]]);
  });

  it("keeps layers' own names and gives others one that is free", () => {
    const { layers, parameters } = buildModel({
      name: 'm',
      input: [4, 4, 2],
      layers: [
        { type: 'relu' },
        { type: 'flatten', name: 'activation_1' },
        { type: 'dense', units: 3, name: 'head' },
        { type: 'dense', units: 2 },
      ],
    });
    const names = ['activation_1_', 'activation_1', 'head', 'dense_2'];
    expect(layers.map(({ name }) => name)).toEqual(names);
    expect(parameters.map(({ name }) => name)).toContain('head/kernel');
  });

  it('has two classes for a single output under binary cross-entropy', () => {
    const spec = withLayers({ type: 'flatten' }, { type: 'dense', units: 1 });
    expect(buildModel({ ...spec, loss: 'binaryCrossEntropy' }).classes).toBe(2);
  });

  const dense: Layer = { type: 'dense', units: 2 };
  const window = { kernel: [9, 3], strides: [1, 1], padding: 'valid' } as const;
  it.each<[string, ModelSpec, string[]]>([
    [
      'a window larger than its input',
      withLayers({ type: 'relu' }, { type: 'conv2d', filters: 1, ...window }),
      ['layer 2 (conv2d)', '9x3 window', '8x9 input'],
    ],
    [
      'a stride that is no whole number',
      withLayers({ type: 'maxPool2d', size: [2, 2], strides: [1, 1.5], padding: 'same' }),
      ['layer 1 (maxPool2d)', 'strides', '1, 1.5'],
    ],
    ['a dense layer on an image', withLayers(dense), ['layer 1 (dense)', 'flatten']],
    [
      'a convolution of features',
      withLayers({ type: 'flatten' }, { type: 'conv2d', filters: 1, ...window }),
      ['layer 2 (conv2d)', 'flat (72 features)'],
    ],
    [
      'no filters',
      withLayers({ type: 'conv2d', filters: 0, ...window }),
      ['layer 1 (conv2d)', 'filters'],
    ],
    [
      'an image at the end',
      withLayers({ type: 'conv2d', filters: 2, kernel: [1, 1], strides: [1, 1], padding: 'same' }),
      ['model m', "last layer's output must be flat", '[8, 9, 2]'],
    ],
    [
      'a single class',
      withLayers({ type: 'flatten' }, { type: 'dense', units: 1 }),
      ['model m', 'one value for each class, not [1]'],
    ],
    [
      'a softmax that the loss contains',
      withLayers({ type: 'flatten' }, dense, { type: 'softmax' }),
      ['model m', 'softmaxCrossEntropy contains the softmax'],
    ],
    [
      'a sigmoid that the loss contains',
      {
        ...withLayers({ type: 'flatten' }, dense, { type: 'sigmoid' }),
        loss: 'binaryCrossEntropy',
      },
      ['model m', 'binaryCrossEntropy contains the sigmoid'],
    ],
    ['nothing to train', withLayers({ type: 'flatten' }), ['model m', 'no layer with weights']],
    ['no layers', withLayers(), ['model m']],
    [
      'an input that comes later',
      withLayers({ type: 'flatten', inputs: [1] }, dense),
      ['layer 1 (flatten): its input 1 is no layer before it'],
    ],
    [
      'a layer that nothing takes',
      withLayers({ type: 'relu' }, { type: 'flatten', inputs: [-1] }, dense),
      ['layer 1 (relu): no layer takes its output'],
    ],
    [
      'a sum of one',
      withLayers({ type: 'add', inputs: [-1] }, { type: 'flatten' }, dense),
      ['layer 1 (add): it takes two inputs or more'],
    ],
    [
      'a sum of unlike shapes',
      withLayers({ type: 'flatten' }, { type: 'add', inputs: [0, -1] }, dense),
      ['layer 2 (add): it cannot add [72] and [8, 9, 1]'],
    ],
    [
      'a layer of two inputs',
      withLayers({ type: 'relu' }, { type: 'flatten', inputs: [0, -1] }, dense),
      ['layer 2 (flatten): it takes one input, not 2'],
    ],
    [
      'two layers of one name',
      withLayers({ type: 'flatten', name: 'it' }, { ...dense, name: 'it' }),
      ['layer 2 (dense): another layer is named it too'],
    ],
    [
      'a rate that drops everything',
      withLayers({ type: 'dropout', rate: 1 }, { type: 'flatten' }, dense),
      ['layer 1 (dropout): rate must be 0 or more and less than 1, not 1'],
    ],
    [
      'an activation that is not monotone',
      withLayers({ type: 'elu', alpha: -1 }, { type: 'flatten' }, dense),
      ['layer 1 (elu): alpha must be 0 or more, not -1'],
    ],
    [
      'half a row of zeros',
      withLayers(
        {
          type: 'zeroPadding2d',
          zeros: [
            [0.5, 0],
            [0, 0],
          ],
        },
        { type: 'flatten' },
        dense,
      ),
      ['layer 1 (zeroPadding2d): zeros must be whole numbers'],
    ],
    ['an empty input', { ...withLayers(dense), input: [0, 9, 1] }, ['model m', 'input [0, 9, 1]']],
    [
      'too many weights',
      withLayers(
        { type: 'flatten' },
        { type: 'dense', units: 65_536 },
        { type: 'dense', units: 65_536 },
        dense,
      ),
      ['model m', 'parameters are more'],
    ],
  ])('refuses %s', (_title, spec, parts) => {
    expect(thrown(() => buildModel(spec))).toEqual(dtrainError('MODEL_INVALID', ...parts));
  });
});
