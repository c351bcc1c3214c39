import type { Pool2d } from '../../src/model/layers.js';
import type { PlacedLayer } from '../../src/model/model.js';
import { addAt, argmax, at } from './arrays.js';
import { extentsOf, imageIndex } from './images.js';
import { cellsUnder } from './windows.js';

/**
 * For every output of a pooling layer, in order, the places in the input that its window covers,
 * in row-major order and without padding.
 */
export function pooledPlaces(placed: PlacedLayer, layer: Pool2d): number[][] {
  const input = extentsOf(placed.input);
  const output = extentsOf(placed.output);
  const places: number[][] = [];
  for (let row = 0; row < output.rows; row++) {
    for (let column = 0; column < output.columns; column++) {
      const cells = cellsUnder(layer, input, row, column);
      for (let channel = 0; channel < output.channels; channel++) {
        places.push(cells.map((cell) => imageIndex(input, cell.row, cell.column, channel)));
      }
    }
  }
  return places;
}

/** For every output of a max pooling layer, the place in the input of its window's first maximum. */
export function winners(placed: PlacedLayer, layer: Pool2d, input: Float64Array): number[] {
  return pooledPlaces(placed, layer).map((places) =>
    at(places, argmax(places.map((place) => at(input, place)))),
  );
}

/** Outputs of a pooling layer. */
export function pool2d(placed: PlacedLayer, layer: Pool2d, input: Float64Array): Float64Array {
  if (layer.type === 'maxPool2d') {
    return Float64Array.from(winners(placed, layer, input), (place) => at(input, place));
  }
  return Float64Array.from(pooledPlaces(placed, layer), (places) => {
    const sum = places.reduce((total, place) => total + at(input, place), 0);
    return sum / places.length;
  });
}

/** Gradient of a pooling layer's input. */
export function pool2dGradient(
  placed: PlacedLayer,
  layer: Pool2d,
  input: Float64Array,
  outputGradient: Float64Array,
): Float64Array {
  const inputGradient = new Float64Array(input.length);
  if (layer.type === 'maxPool2d') {
    for (const [index, place] of winners(placed, layer, input).entries()) {
      addAt(inputGradient, place, at(outputGradient, index));
    }
    return inputGradient;
  }
  for (const [index, places] of pooledPlaces(placed, layer).entries()) {
    for (const place of places) {
      addAt(inputGradient, place, at(outputGradient, index) / places.length);
    }
  }
  return inputGradient;
}
