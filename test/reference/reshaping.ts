import type { Pair, Shape } from '../../src/model/layers.js';
import { addAt, at } from './arrays.js';
import { extentsOf, imageIndex } from './images.js';

/** For each value of an image, its place in the same image with rows and columns of zeros around. */
export function paddedPlaces(input: Shape, output: Shape, [[top], [left]]: readonly [Pair, Pair]) {
  const { rows, columns, channels } = extentsOf(input);
  const padded = extentsOf(output);
  const places: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let channel = 0; channel < channels; channel++) {
        places.push(imageIndex(padded, row + top, column + left, channel));
      }
    }
  }
  return places;
}

/** The mean of each channel of an image. */
export function globalAverage(shape: Shape, input: Float64Array): Float64Array {
  const { rows, columns, channels } = extentsOf(shape);
  const output = new Float64Array(channels);
  for (const [index, value] of input.entries()) {
    addAt(output, index % channels, value / (rows * columns));
  }
  return output;
}

/** The gradient of the image that was averaged. */
export function globalAverageGradient(shape: Shape, outputGradient: Float64Array): Float64Array {
  const { rows, columns, channels } = extentsOf(shape);
  return Float64Array.from(
    { length: rows * columns * channels },
    (_, index) => at(outputGradient, index % channels) / (rows * columns),
  );
}
