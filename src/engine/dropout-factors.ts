import type { Dropout, Shape } from '../model/layers.js';
import { sizeOf } from '../model/model.js';
import { philox, streams } from '../random/philox.js';
import type { Chance } from './chance.js';

/** Each value is decided by 16 bits, so four words are enough for eight. */
export const VALUES_OF_DRAW = 8;
const ODDS = 65_536;

/** Below how many of 65,536 a value's 16 bits drop it, and what the others are multiplied by. */
export function dropoutOdds(rate: number): { dropped: number; kept: number } {
  const dropped = Math.min(Math.round(rate * ODDS), ODDS - 1);
  return { dropped, kept: ODDS / (ODDS - dropped) };
}

/**
 * What a dropout layer multiplies each value by, [sample][row][column][channel]: what the kernel
 * `dropoutMask` computes for the exact engines.
 * @param draw the layer's place in its model
 */
export function dropoutFactors(
  { rate }: Dropout,
  draw: number,
  shape: Shape,
  { seed, step, first }: Chance,
  samples: number,
): Float32Array {
  const { dropped, kept } = dropoutOdds(rate);
  const size = sizeOf(shape);
  const channels = shape.at(-1) ?? 1;
  const cells = size / channels;
  const factors = new Float32Array(samples * size);
  for (let sample = 0; sample < samples; sample++) {
    // Values are drawn channel by channel, as they lie in the exact engines' planes.
    let [channel, cell] = [0, 0];
    for (let index = 0; index * VALUES_OF_DRAW < size; index++) {
      const words = philox([index, first + sample, draw, step], [seed, streams.dropout]);
      for (const word of words) {
        for (const bits of [word >>> 16, word & 0xffff]) {
          if (channel === channels) break;
          factors[sample * size + cell * channels + channel] = bits < dropped ? 0 : kept;
          if (++cell === cells) [channel, cell] = [channel + 1, 0];
        }
      }
    }
  }
  return factors;
}
