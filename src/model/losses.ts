import type { Layer, LossName } from './layers.js';

/** The activation that a loss contains, so that the model's layers do not end in it. */
export const containedLayers = {
  softmaxCrossEntropy: 'softmax',
  binaryCrossEntropy: 'sigmoid',
  meanSquaredError: undefined,
} as const satisfies Record<LossName, Layer['type'] | undefined>;
