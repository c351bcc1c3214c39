import { EVALUATION_ROW } from '../engine/engine.js';
import { LANES } from '../engine/ir/types.js';

export interface Evaluation {
  readonly samples: number;
  /** Mean over the samples. */
  readonly loss: number;
  /** Of 1. */
  readonly accuracy: number;
  /** confusion[label][predicted class] */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * Adds evaluated micro-batches up, in order.
 * @param rows EVALUATION_ROW values for each micro-batch, as `evaluate` writes them
 * @param labels of the samples, in the same order
 */
export function summarize(rows: Float32Array, labels: readonly number[]): Evaluation {
  const samples = labels.length;
  const predictions = labels.map((_, index) => {
    const row = Math.floor(index / LANES) * EVALUATION_ROW;
    return rows[row + 2 + (index % LANES)] ?? 0;
  });
  const classes = [...labels, ...predictions].reduce((most, value) => Math.max(most, value), 0) + 1;
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, index) => {
    const row = confusion[label];
    const predicted = predictions[index] ?? 0;
    if (row) row[predicted] = (row[predicted] ?? 0) + 1;
  });
  let loss = 0;
  let correct = 0;
  for (let row = 0; row < rows.length; row += EVALUATION_ROW) {
    loss += rows[row] ?? NaN;
    correct += rows[row + 1] ?? NaN;
  }
  return { samples, loss: loss / samples, accuracy: correct / samples, confusion };
}
