import { at, argmax } from './arrays.js';

/** Softmax cross-entropy of one sample's logits. */
export function crossEntropy(logits: Float64Array, label: number): number {
  const largest = at(logits, argmax(logits));
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return Math.log(sum) + largest - at(logits, label);
}

/** Its gradient with respect to the logits: softmax minus the label's one-hot vector. */
export function crossEntropyGradient(logits: Float64Array, label: number): Float64Array {
  const largest = at(logits, argmax(logits));
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return logits.map((logit, index) => Math.exp(logit - largest) / sum - (index === label ? 1 : 0));
}
