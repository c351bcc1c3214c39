import { DtrainError } from '../errors.js';
import { isLayersModel, type RunModel } from '../engine/run-model.js';
import { sizeOf } from '../model/model.js';
import type { Dataset } from './dataset.js';

/**
 * Checks that a model takes a data set's samples and has its classes.
 * @param title what a message calls the model
 * @throws DtrainError MODEL_FILE
 */
export function checkFits(title: string, model: RunModel, dataset: Dataset): void {
  const { spec, classes } = model;
  // TensorFlow.js's take a sample's values in whatever shape they want.
  const takes = isLayersModel(model)
    ? sizeOf(spec.input) === sizeOf(dataset.shape)
    : String(spec.input) === String(dataset.shape);
  if (takes && classes === dataset.classes) return;
  const wanted = `${spec.input.join('x')} samples of ${classes} classes`;
  const there = `${dataset.shape.join('x')} of ${dataset.classes}`;
  throw new DtrainError('MODEL_FILE', `${title} takes ${wanted}; ${dataset.name} has ${there}.`);
}
