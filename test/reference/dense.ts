import type { PlacedLayer } from '../../src/model/model.js';
import { addAt, at } from './arrays.js';
import { parameterOf } from './parameters.js';

/** Outputs of a dense layer with bias. */
export function dense(
  placed: PlacedLayer,
  units: number,
  weights: Float64Array,
  input: Float64Array,
): Float64Array {
  const kernel = parameterOf(placed, 'kernel').offset;
  const bias = parameterOf(placed, 'bias').offset;
  const output = new Float64Array(units);
  for (let unit = 0; unit < units; unit++) {
    let sum = at(weights, bias + unit);
    for (let feature = 0; feature < input.length; feature++) {
      sum += at(input, feature) * at(weights, kernel + feature * units + unit);
    }
    output[unit] = sum;
  }
  return output;
}

/** Adds the gradient of a dense layer's weights to `gradient`; returns its input's gradient. */
export function denseGradient(
  placed: PlacedLayer,
  units: number,
  weights: Float64Array,
  input: Float64Array,
  outputGradient: Float64Array,
  gradient: Float64Array,
): Float64Array {
  const kernel = parameterOf(placed, 'kernel').offset;
  const bias = parameterOf(placed, 'bias').offset;
  const inputGradient = new Float64Array(input.length);
  for (let unit = 0; unit < units; unit++) {
    const flowing = at(outputGradient, unit);
    addAt(gradient, bias + unit, flowing);
    for (let feature = 0; feature < input.length; feature++) {
      const weight = kernel + feature * units + unit;
      addAt(gradient, weight, flowing * at(input, feature));
      addAt(inputGradient, feature, flowing * at(weights, weight));
    }
  }
  return inputGradient;
}
