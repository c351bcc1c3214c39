import type { Activation } from '../../src/model/layers.js';
import { at } from './arrays.js';

/** An activation's output for one value. */
function value(activation: Activation, x: number): number {
  switch (activation.type) {
    case 'relu':
      return x > 0 ? x : 0;
    case 'relu6':
      return Math.min(Math.max(x, 0), 6);
    case 'leakyReLU':
      return x > 0 ? x : activation.alpha * x;
    case 'elu':
      return x > 0 ? x : activation.alpha * Math.expm1(x);
    case 'tanh':
      return Math.tanh(x);
    case 'sigmoid':
      return sigmoid(x);
  }
}

/** An activation's derivative at one value. */
function slope(activation: Activation, x: number): number {
  switch (activation.type) {
    case 'relu':
      return x > 0 ? 1 : 0;
    case 'relu6':
      return x > 0 && x < 6 ? 1 : 0;
    case 'leakyReLU':
      return x > 0 ? 1 : activation.alpha;
    case 'elu':
      return x > 0 ? 1 : activation.alpha * Math.exp(x);
    case 'tanh':
      return 1 - Math.tanh(x) ** 2;
    case 'sigmoid':
      return sigmoid(x) * sigmoid(-x);
  }
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Where an activation's slope jumps. */
export function kinksOf(activation: Activation): readonly number[] {
  switch (activation.type) {
    case 'relu':
    case 'leakyReLU':
    case 'elu':
      return [0];
    case 'relu6':
      return [0, 6];
    default:
      return [];
  }
}

/** Outputs of an activation layer. */
export function activate(activation: Activation, input: Float64Array): Float64Array {
  return input.map((x) => value(activation, x));
}

/** Gradient of an activation layer's input. */
export function activateGradient(
  activation: Activation,
  input: Float64Array,
  outputGradient: Float64Array,
): Float64Array {
  return input.map((x, index) => at(outputGradient, index) * slope(activation, x));
}
