import type { Conv2d } from '../../src/model/layers.js';
import type { PlacedLayer } from '../../src/model/model.js';
import { addAt, at } from './arrays.js';
import { extentsOf, imageIndex } from './images.js';
import { parameterOf } from './parameters.js';
import { cellsUnder } from './windows.js';

type Visit = (input: number, kernel: number, output: number) => void;

/** Visits every product of a convolution: the places of the input, the weight and the output. */
function forEachProduct(placed: PlacedLayer, layer: Conv2d, visit: Visit): void {
  const input = extentsOf(placed.input);
  const output = extentsOf(placed.output);
  const { offset } = parameterOf(placed, 'kernel');
  const window = { size: layer.kernel, strides: layer.strides, padding: layer.padding };
  for (let row = 0; row < output.rows; row++) {
    for (let column = 0; column < output.columns; column++) {
      for (const cell of cellsUnder(window, input, row, column)) {
        const tap = cell.windowRow * layer.kernel[1] + cell.windowColumn;
        for (let channel = 0; channel < input.channels; channel++) {
          for (let filter = 0; filter < layer.filters; filter++) {
            visit(
              imageIndex(input, cell.row, cell.column, channel),
              offset + (tap * input.channels + channel) * layer.filters + filter,
              imageIndex(output, row, column, filter),
            );
          }
        }
      }
    }
  }
}

/** Visits the place of every output's bias. */
function forEachBias(
  placed: PlacedLayer,
  layer: Conv2d,
  visit: (output: number, bias: number) => void,
): void {
  const { rows, columns } = extentsOf(placed.output);
  const { offset } = parameterOf(placed, 'bias');
  for (let position = 0; position < rows * columns; position++) {
    for (let filter = 0; filter < layer.filters; filter++) {
      visit(position * layer.filters + filter, offset + filter);
    }
  }
}

/** Outputs of a convolution (cross-correlation, as in every deep learning library) with bias. */
export function conv2d(
  placed: PlacedLayer,
  layer: Conv2d,
  weights: Float64Array,
  input: Float64Array,
): Float64Array {
  const { rows, columns, channels } = extentsOf(placed.output);
  const output = new Float64Array(rows * columns * channels);
  forEachBias(placed, layer, (place, bias) => {
    addAt(output, place, at(weights, bias));
  });
  forEachProduct(placed, layer, (from, kernel, to) => {
    addAt(output, to, at(input, from) * at(weights, kernel));
  });
  return output;
}

/** Adds the gradient of a convolution's weights to `gradient`; returns its input's gradient. */
export function conv2dGradient(
  placed: PlacedLayer,
  layer: Conv2d,
  weights: Float64Array,
  input: Float64Array,
  outputGradient: Float64Array,
  gradient: Float64Array,
): Float64Array {
  const inputGradient = new Float64Array(input.length);
  forEachBias(placed, layer, (place, bias) => {
    addAt(gradient, bias, at(outputGradient, place));
  });
  forEachProduct(placed, layer, (from, kernel, to) => {
    const flowing = at(outputGradient, to);
    addAt(gradient, kernel, flowing * at(input, from));
    addAt(inputGradient, from, flowing * at(weights, kernel));
  });
  return inputGradient;
}
