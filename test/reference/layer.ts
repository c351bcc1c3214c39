import type { PlacedLayer } from '../../src/model/model.js';
import { activate, activateGradient } from './activations.js';
import { conv2d, conv2dGradient } from './conv2d.js';
import { dense, denseGradient } from './dense.js';
import { pool2d, pool2dGradient } from './pool2d.js';

/** Outputs of one layer for one sample. */
export function layerForward(
  placed: PlacedLayer,
  weights: Float64Array,
  input: Float64Array,
): Float64Array {
  const { layer } = placed;
  switch (layer.type) {
    case 'conv2d':
      return conv2d(placed, layer, weights, input);
    case 'maxPool2d':
    case 'averagePool2d':
      return pool2d(placed, layer, input);
    case 'relu':
    case 'tanh':
    case 'sigmoid':
      return activate(layer.type, input);
    case 'flatten':
      return input;
    case 'dense':
      return dense(placed, layer.units, weights, input);
  }
}

/** Adds the gradient of one layer's weights to `gradient`; returns its input's gradient. */
export function layerBackward(
  placed: PlacedLayer,
  weights: Float64Array,
  input: Float64Array,
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
    case 'relu':
    case 'tanh':
    case 'sigmoid':
      return activateGradient(layer.type, input, outputGradient);
    case 'flatten':
      return outputGradient;
    case 'dense':
      return denseGradient(placed, layer.units, weights, input, outputGradient, gradient);
  }
}
