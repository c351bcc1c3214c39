import type { InputType, Layer, ModelSpec } from './layers.js';

/** The data that a model is for. */
export interface ModelData {
  /** Rows, columns, channels of a sample. */
  readonly shape: readonly [number, number, number];
  readonly inputType: InputType;
  readonly classes: number;
}

/** MNIST's. */
export const MNIST_DATA: ModelData = { shape: [28, 28, 1], inputType: 'uint8', classes: 10 };

/**
 * LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document
 * recognition") in the form that is trained today: 28x28 input with same padding in the first
 * convolution, every feature map connected in the second, and a dense softmax output.
 * 61,706 parameters.
 */
function lenet5Layers(
  activation: 'relu' | 'tanh',
  pool: 'maxPool2d' | 'averagePool2d',
  classes: number,
): Layer[] {
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
    { type: 'dense', units: classes },
  ];
}

/** The models that go by name, for any data: in- and outputs adapt to it. */
export const builtInModels = {
  lenet5: (data: ModelData) =>
    named('lenet5', data, lenet5Layers('relu', 'maxPool2d', data.classes)),
  /** With the activation and the pooling of 1998. */
  'lenet5-1998': (data: ModelData) =>
    named('lenet5-1998', data, lenet5Layers('tanh', 'averagePool2d', data.classes)),
} as const;

function named(name: string, { shape, inputType }: ModelData, layers: Layer[]): ModelSpec {
  // Bytes go without saying, so that descriptions of such models stay as they were.
  return { name, input: shape, ...(inputType !== 'uint8' && { inputType }), layers };
}

/** For MNIST. */
export const lenet5 = builtInModels.lenet5(MNIST_DATA);
export const lenet5Of1998 = builtInModels['lenet5-1998'](MNIST_DATA);
