import type { Dropout, Shape } from '../../src/model/layers.js';
import { philox, streams } from '../../src/random/philox.js';
import { at } from './arrays.js';
import { imageIndex } from './images.js';

/** What a sample's random numbers depend on while a model trains. */
export interface Draw {
  readonly seed: number;
  readonly step: number;
  /** The sample's place in the step's batch. */
  readonly place: number;
}

/** What a dropout layer multiplies each value by; `index` is the layer's place in its model. */
export function dropoutFactors(
  { rate }: Dropout,
  index: number,
  shape: Shape,
  { seed, step, place }: Draw,
): Float64Array {
  const [rows, columns, channels] = shape.length === 3 ? shape : [1, 1, shape[0]];
  const dropped = Math.min(Math.round(rate * 65_536), 65_535);
  const factors = new Float64Array(rows * columns * channels);
  let drawn = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const words = philox([drawn >>> 3, place, index, step], [seed, streams.dropout]);
        const word = at(words, (drawn >>> 1) & 3);
        const bits = (drawn & 1) === 0 ? word >>> 16 : word & 0xffff;
        const factor = bits < dropped ? 0 : Math.fround(65_536 / (65_536 - dropped));
        factors[imageIndex({ rows, columns, channels }, row, column, channel)] = factor;
        drawn++;
      }
    }
  }
  return factors;
}
