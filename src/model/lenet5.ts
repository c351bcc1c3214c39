import type { Layer, ModelSpec } from './layers.js';

/**
 * LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document
 * recognition") in the form that is trained today: 28x28 input with same padding in the first
 * convolution, every feature map connected in the second, and a dense softmax output.
 * 61,706 parameters.
 */
function lenet5Layers(activation: 'relu' | 'tanh', pool: 'maxPool2d' | 'averagePool2d'): Layer[] {
  const convolution = (filters: number, padding: 'same' | 'valid'): Layer[] => [
    { type: 'conv2d', filters, kernel: [5, 5], strides: [1, 1], padding },
    { type: activation },
    { type: pool, size: [2, 2], strides: [2, 2], padding: 'valid' },
  ];
  return [
    ...convolution(6, 'same'),
    ...convolution(16, 'valid'),
    { type: 'flatten' },
    { type: 'dense', units: 120 },
    { type: activation },
    { type: 'dense', units: 84 },
    { type: activation },
    { type: 'dense', units: 10 },
  ];
}

export const lenet5: ModelSpec = {
  name: 'lenet5',
  input: [28, 28, 1],
  layers: lenet5Layers('relu', 'maxPool2d'),
};

/** With the activation and the pooling of 1998. */
export const lenet5Of1998: ModelSpec = {
  name: 'lenet5-1998',
  input: [28, 28, 1],
  layers: lenet5Layers('tanh', 'averagePool2d'),
};
