import type { Model } from '../../src/model/model.js';
import { sigmoid } from './activations.js';
import { argmax, at } from './arrays.js';
import { crossEntropy, crossEntropyGradient } from './cross-entropy.js';

/** What one output should be. */
function targetOf({ outputs, index, label }: { outputs: number; index: number; label: number }) {
  return outputs === 1 ? label : index === label ? 1 : 0;
}

/** A model's loss for one sample. */
export function lossOf({ loss }: Model, outputs: Float64Array, label: number): number {
  if (loss === 'softmaxCrossEntropy') return crossEntropy(outputs, label);
  const each = outputs.map((output, index) => {
    const target = targetOf({ outputs: outputs.length, index, label });
    return loss === 'meanSquaredError'
      ? (output - target) ** 2
      : Math.max(output, 0) - output * target + Math.log1p(Math.exp(-Math.abs(output)));
  });
  return each.reduce((sum, value) => sum + value, 0) / outputs.length;
}

/** Its gradient with respect to the outputs. */
export function lossGradient({ loss }: Model, outputs: Float64Array, label: number): Float64Array {
  if (loss === 'softmaxCrossEntropy') return crossEntropyGradient(outputs, label);
  return outputs.map((output, index) => {
    const target = targetOf({ outputs: outputs.length, index, label });
    const slope = loss === 'meanSquaredError' ? 2 * (output - target) : sigmoid(output) - target;
    return slope / outputs.length;
  });
}

/** The class that outputs stand for: the first largest one's, or of a single one whether it is positive. */
export function classOf(outputs: Float64Array): number {
  return outputs.length === 1 ? Number(at(outputs, 0) > 0) : argmax(outputs);
}
