import type { ActivationName } from '../../src/model/layers.js';
import { at } from './arrays.js';

/** An activation's output for one value. */
function value(name: ActivationName, x: number): number {
  switch (name) {
    case 'relu':
      return x > 0 ? x : 0;
    case 'tanh':
      return Math.tanh(x);
    case 'sigmoid':
      return 1 / (1 + Math.exp(-x));
  }
}

/** An activation's derivative at one value. */
function slope(name: ActivationName, x: number): number {
  switch (name) {
    case 'relu':
      return x > 0 ? 1 : 0;
    case 'tanh':
      return 1 - Math.tanh(x) ** 2;
    case 'sigmoid':
      return value('sigmoid', x) * value('sigmoid', -x);
  }
}

/** Outputs of an activation layer. */
export function activate(name: ActivationName, input: Float64Array): Float64Array {
  return input.map((x) => value(name, x));
}

/** Gradient of an activation layer's input. */
export function activateGradient(
  name: ActivationName,
  input: Float64Array,
  outputGradient: Float64Array,
): Float64Array {
  return input.map((x, index) => at(outputGradient, index) * slope(name, x));
}
