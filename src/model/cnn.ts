import type { Layer, ModelSpec } from './layers.js';

/** Two 3x3 convolutions, of which the second is pooled: their window together is 5x5. */
function block(filters: number): Layer[] {
  const convolution: Layer = {
    type: 'conv2d',
    filters,
    kernel: [3, 3],
    strides: [1, 1],
    padding: 'valid',
  };
  return [
    convolution,
    { type: 'relu' },
    convolution,
    { type: 'relu' },
    { type: 'maxPool2d', size: [2, 2], strides: [2, 2], padding: 'valid' },
  ];
}

/**
 * A small convolutional network in the manner of VGG (Simonyan, Zisserman 2014, "Very deep
 * convolutional networks for large-scale image recognition"), with dropout. 136,370 parameters.
 */
export const cnn: ModelSpec = {
  name: 'cnn',
  input: [28, 28, 1],
  layers: [
    ...block(24),
    ...block(48),
    { type: 'flatten' },
    { type: 'dropout', rate: 0.4 },
    { type: 'dense', units: 128 },
    { type: 'relu' },
    { type: 'dropout', rate: 0.4 },
    { type: 'dense', units: 10 },
  ],
};
