import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DtrainError } from '../../src/errors.js';
import { parseModelSpec } from '../../src/model/files/spec.js';
import { dtrainError, everyLayer, graph, specs, thrown } from './helpers.js';

const conv2d = { type: 'conv2d', filters: 6, kernel: [5, 5], strides: [1, 1], padding: 'same' };
const relu = { type: 'relu' };

function withLayers(...layers: unknown[]) {
  return { name: 'm', input: [8, 9, 1], layers };
}

describe('parseModelSpec', () => {
  it.each([...specs, graph])('takes $name after a trip through JSON', (spec) => {
    expect(parseModelSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  });

  it.each<[string, unknown, string[]]>([
    ['nothing', undefined, ['the model description', 'is missing']],
    ['a list', [], ['the model description', 'must be an object']],
    ['another field', { ...everyLayer, metric: 'mse' }, ['unknown field "metric"']],
    [
      'an unknown loss',
      { ...everyLayer, loss: 'mse' },
      ['loss must be softmaxCrossEntropy or binary', 'not "mse"'],
    ],
    ['a path for a name', { ...everyLayer, name: '../m' }, ['name must be 1 to 64 letters']],
    ['a long name', { ...everyLayer, name: 'm'.repeat(65) }, ['name must be 1 to 64 letters']],
    ['a flat input', { ...everyLayer, input: [784] }, ['input must be [rows, columns, channels]']],
    [
      'an input of 0 rows',
      { ...everyLayer, input: [0, 1, 1] },
      ['input[0] must be a whole number'],
    ],
    ['layers that are no list', { ...everyLayer, layers: {} }, ['layers must be a list']],
    ['no layers', withLayers(), ['layers must hold a layer']],
    ['257 layers', withLayers(...Array<unknown>(257).fill(relu)), ['layers', '256']],
    ['a layer that is no object', withLayers(relu, 'relu'), ['layer 2: it must be one of conv2d']],
    [
      'an unknown layer',
      withLayers(relu, { type: 'lstm' }),
      ['layer 2: type must be one of conv2d'],
    ],
    [
      'a field too few',
      withLayers({ ...conv2d, filters: undefined }),
      ['layer 1 (conv2d): filters'],
    ],
    ['a field too many', withLayers({ ...conv2d, bias: 1 }), ['layer 1 (conv2d)', 'field "bias"']],
    ['0 filters', withLayers({ ...conv2d, filters: 0 }), ['filters must be a whole number from 1']],
    ['65,537 filters', withLayers({ ...conv2d, filters: 65_537 }), ['layer 1 (conv2d)', '65536']],
    ['half a filter', withLayers({ ...conv2d, filters: 0.5 }), ['filters must be a whole number']],
    ['a kernel of one', withLayers({ ...conv2d, kernel: [5] }), ['kernel must be [rows, columns]']],
    [
      'an input that is no layer',
      withLayers(relu, { ...relu, inputs: [-2] }),
      ['layer 2 (relu): inputs[0] must be the number of a layer, or -1'],
    ],
    ['a sum of what', withLayers({ type: 'add' }), ['layer 1 (add): inputs is missing']],
    [
      'a name of two lines',
      withLayers({ ...relu, name: 'a\nb' }),
      ['layer 1 (relu): name must be 1 to 128'],
    ],
    [
      'a kernel of text',
      withLayers({ ...conv2d, kernel: [5, '5'] }),
      ['kernel[1] must be a whole'],
    ],
    [
      'unknown padding',
      withLayers(relu, { ...conv2d, padding: 'full' }),
      ['layer 2 (conv2d): padding must be same or valid, not "full"'],
    ],
  ])('refuses %s', (_title, value, parts) => {
    expect(thrown(() => parseModelSpec(value))).toEqual(dtrainError('MODEL_INVALID', ...parts));
  });

  it('throws nothing but DtrainError, whatever it is given', () => {
    const layer = fc.oneof(
      fc.anything(),
      fc.record({ type: fc.constant('conv2d'), filters: fc.anything() }),
    );
    const spec = fc.record({
      name: fc.oneof(fc.constant('m'), fc.anything()),
      input: fc.oneof(fc.constant([1, 1, 1]), fc.anything()),
      layers: fc.oneof(fc.array(layer), fc.anything()),
    });
    fc.assert(
      fc.property(fc.oneof(fc.anything(), spec), (value) => {
        expect(thrown(() => parseModelSpec(value))).toBeInstanceOf(DtrainError);
      }),
    );
  });
});
