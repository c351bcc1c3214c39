import type { ModelSpec } from './layers.js';

/** A multilayer perceptron: two hidden dense layers of 128 units. 118,282 parameters. */
export const mlp: ModelSpec = {
  name: 'mlp',
  input: [28, 28, 1],
  layers: [
    { type: 'flatten' },
    { type: 'dense', units: 128 },
    { type: 'relu' },
    { type: 'dense', units: 128 },
    { type: 'relu' },
    { type: 'dense', units: 10 },
  ],
};
