import { DtrainError } from '../errors.js';
import type { Model } from '../model/model.js';
import type { Dataset } from './dataset.js';

/**
 * Checks that a model takes a data set's samples and has its classes.
 * @param title what a message calls the model
 * @throws DtrainError MODEL_FILE
 */
export function checkFits(title: string, { spec, classes }: Model, dataset: Dataset): void {
  if (String(spec.input) === String(dataset.shape) && classes === dataset.classes) return;
  const wanted = `${spec.input.join('x')} samples of ${classes} classes`;
  const there = `${dataset.shape.join('x')} of ${dataset.classes}`;
  throw new DtrainError('MODEL_FILE', `${title} takes ${wanted}; ${dataset.name} has ${there}.`);
}
