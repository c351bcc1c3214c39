import { describe, expect, test } from 'vitest';
import type { Layer } from '../../src/model/layers.js';
import { buildModel, type PlacedLayer } from '../../src/model/model.js';
import { layerBackward, layerForward } from './layer.js';

/** A first layer on an image of this many rows and columns, with one channel. */
function placed(rows: number, columns: number, layer: Layer): PlacedLayer {
  const [first] = buildModel({
    name: 'one layer',
    input: [rows, columns, 1],
    layers: [layer, { type: 'flatten' }, { type: 'dense', units: 2 }],
  }).layers;
  if (first === undefined) {
    throw new Error('no layer');
  }
  return first;
}

function forward(at: PlacedLayer, input: number[], weights: number[] = []): number[] {
  return [...layerForward(at, Float64Array.from(weights), { values: [Float64Array.from(input)] })];
}

function backward(at: PlacedLayer, input: number[], outputGradient: number[]): number[] {
  const none = new Float64Array();
  return [
    ...layerBackward(
      at,
      none,
      { values: [Float64Array.from(input)] },
      Float64Array.from(outputGradient),
      none,
    ),
  ];
}

describe('by hand', () => {
  test('the first maximum of a window gets the gradient', () => {
    const pool = placed(2, 2, {
      type: 'maxPool2d',
      size: [2, 2],
      strides: [1, 1],
      padding: 'valid',
    });
    expect(forward(pool, [1, 3, 3, 3])).toEqual([3]);
    expect(backward(pool, [1, 3, 3, 3], [5])).toEqual([0, 5, 0, 0]);
  });

  test('overlapping windows add up in the maximum they share', () => {
    const pool = placed(1, 3, {
      type: 'maxPool2d',
      size: [1, 2],
      strides: [1, 1],
      padding: 'valid',
    });
    expect(backward(pool, [1, 3, 2], [5, 7])).toEqual([0, 12, 0]);
  });

  test('padding is never a maximum', () => {
    const pool = placed(1, 3, {
      type: 'maxPool2d',
      size: [1, 3],
      strides: [1, 1],
      padding: 'same',
    });
    expect(forward(pool, [-4, -6, -5])).toEqual([-4, -4, -5]);
  });

  test('padding is not counted in an average', () => {
    const pool = placed(1, 3, {
      type: 'averagePool2d',
      size: [1, 3],
      strides: [1, 1],
      padding: 'same',
    });
    expect(forward(pool, [2, 4, 9])).toEqual([3, 5, 6.5]);
    expect(backward(pool, [2, 4, 9], [2, 3, 4])).toEqual([2, 4, 3]);
  });

  test('the odd padding is at the end', () => {
    const convolution = placed(1, 4, {
      type: 'conv2d',
      filters: 1,
      kernel: [1, 3],
      strides: [1, 2],
      padding: 'same',
    });
    // Windows 1 2 3 and 3 4 0, with the bias after the kernel.
    expect(forward(convolution, [1, 2, 3, 4], [1, 10, 100, 0.5])).toEqual([321.5, 43.5]);
  });

  test('relu stops the gradient at 0', () => {
    const relu = placed(1, 3, { type: 'relu' });
    expect(forward(relu, [-1, 0, 2])).toEqual([0, 0, 2]);
    expect(backward(relu, [-1, 0, 2], [5, 6, 7])).toEqual([0, 0, 7]);
  });

  test('activations keep their slopes far from 0', () => {
    const far = [-800, 800];
    expect(forward(placed(1, 2, { type: 'sigmoid' }), far)).toEqual([0, 1]);
    expect(backward(placed(1, 2, { type: 'sigmoid' }), [-40], [1])[0]).toBeCloseTo(4.248e-18, 21);
    expect(forward(placed(1, 2, { type: 'tanh' }), far)).toEqual([-1, 1]);
  });
});
