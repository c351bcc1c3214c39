import type { PlacedLayer } from '../../src/model/model.js';
import { activate, activateGradient } from './activations.js';
import { addAt, at } from './arrays.js';
import { conv2d, conv2dGradient } from './conv2d.js';
import { dense, denseGradient } from './dense.js';
import { pool2d, pool2dGradient } from './pool2d.js';
import { globalAverage, globalAverageGradient, paddedPlaces } from './reshaping.js';
import { softmax, softmaxGradient } from './softmax.js';

/** What a layer takes in for one sample. */
export interface LayerInput {
  readonly values: readonly Float64Array[];
  /** What dropout multiplies each value by; undefined where nothing is dropped. */
  readonly factors?: Float64Array | undefined;
}

/** Outputs of one layer for one sample. */
export function layerForward(
  placed: PlacedLayer,
  weights: Float64Array,
  { values: [input = new Float64Array(), ...others], factors }: LayerInput,
): Float64Array {
  const { layer } = placed;
  switch (layer.type) {
    case 'conv2d':
      return conv2d(placed, layer, weights, input);
    case 'maxPool2d':
    case 'averagePool2d':
      return pool2d(placed, layer, input);
    case 'globalAveragePool2d':
      return globalAverage(placed.input, input);
    case 'zeroPadding2d': {
      const output = new Float64Array(placed.output.reduce((size, extent) => size * extent, 1));
      paddedPlaces(placed.input, placed.output, layer.zeros).forEach((place, index) => {
        output[place] = at(input, index);
      });
      return output;
    }
    case 'softmax':
      return softmax(placed.input.at(-1) ?? 1, input);
    case 'dropout':
      return factors ? input.map((value, index) => value * at(factors, index)) : input;
    case 'add':
      return input.map((value, index) =>
        others.reduce((sum, other) => sum + at(other, index), value),
      );
    case 'flatten':
      return input;
    case 'dense':
      return dense(placed, layer.units, weights, input);
    default:
      return activate(layer, input);
  }
}

/** Adds the gradient of one layer's weights to `gradient`; returns that of each input. */
export function layerBackward(
  placed: PlacedLayer,
  weights: Float64Array,
  { values: [input = new Float64Array()], factors }: LayerInput,
  outputGradient: Float64Array,
  gradient: Float64Array,
): Float64Array {
  const { layer } = placed;
  switch (layer.type) {
    case 'conv2d':
      return conv2dGradient(placed, layer, weights, input, outputGradient, gradient);
    case 'maxPool2d':
    case 'averagePool2d':
      return pool2dGradient(placed, layer, input, outputGradient);
    case 'globalAveragePool2d':
      return globalAverageGradient(placed.input, outputGradient);
    case 'zeroPadding2d':
      return Float64Array.from(paddedPlaces(placed.input, placed.output, layer.zeros), (place) =>
        at(outputGradient, place),
      );
    case 'softmax':
      return softmaxGradient(placed.input.at(-1) ?? 1, input, outputGradient);
    case 'dropout':
      return factors
        ? outputGradient.map((value, index) => value * at(factors, index))
        : outputGradient;
    case 'add':
    case 'flatten':
      return outputGradient;
    case 'dense':
      return denseGradient(placed, layer.units, weights, input, outputGradient, gradient);
    default:
      return activateGradient(layer, input, outputGradient);
  }
}

/** Adds to the sum of what several layers send back to one; there may be none yet. */
export function accumulate(sum: Float64Array | undefined, more: Float64Array): Float64Array {
  if (!sum) return more.slice();
  more.forEach((value, index) => {
    addAt(sum, index, value);
  });
  return sum;
}
