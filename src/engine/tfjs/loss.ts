import type * as Core from '@tensorflow/tfjs-core';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { LossName } from '../../model/layers.js';

/** The activation at a model's end that a loss contains, so that it is computed from the logits. */
export const containedActivation: Readonly<Record<LossName, 'softmax' | 'sigmoid' | null>> = {
  softmaxCrossEntropy: 'softmax',
  meanSquaredError: null,
  binaryCrossEntropy: 'sigmoid',
};

/** The loss of each sample; `targets` are as many as the outputs. */
export function lossesOf(
  { losses, Reduction, mean, squaredDifference }: typeof Core,
  loss: LossName,
  outputs: Tensor2D,
  targets: Tensor2D,
): Tensor1D {
  const { NONE } = Reduction;
  switch (loss) {
    case 'softmaxCrossEntropy':
      return losses.softmaxCrossEntropy(targets, outputs, undefined, undefined, NONE);
    case 'binaryCrossEntropy':
      return mean(losses.sigmoidCrossEntropy(targets, outputs, undefined, 0, NONE), 1);
    case 'meanSquaredError':
      return mean(squaredDifference(outputs, targets), 1);
  }
}

/** What the outputs should be: one for the label's class and else zero, or a single one's label. */
export function targetsOf(tf: typeof Core, labels: Uint8Array, width: number): Tensor2D {
  const targets = new Float32Array(labels.length * width);
  labels.forEach((label, sample) => {
    if (width === 1) targets[sample] = label;
    else targets[sample * width + label] = 1;
  });
  return tf.tensor2d(targets, [labels.length, width]);
}

/** The class of each sample; a single output says 0 or 1. */
export function classesOf(tf: typeof Core, outputs: Tensor2D, loss: LossName): Int32Array {
  if (outputs.shape[1] > 1) return tf.argMax(outputs, 1).dataSync<'int32'>();
  const threshold = loss === 'binaryCrossEntropy' ? 0 : 0.5;
  return tf.cast(tf.greater(outputs, threshold), 'int32').dataSync<'int32'>();
}
