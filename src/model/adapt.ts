import { DtrainError } from '../errors.js';
import type { InputType, Layer, ModelSpec } from './layers.js';
import { buildModel, type Model } from './model.js';

/** The data that a model is to take. */
export interface ModelData {
  /** Rows, columns, channels of a sample. */
  readonly shape: readonly [number, number, number];
  readonly inputType: InputType;
  readonly classes: number;
}

/**
 * A built-in model for any data: its input has the samples' shape, its last layer an output for each class.
 * @throws DtrainError MODEL_INVALID if samples are too small for its windows
 */
export function adaptedTo(data: ModelData, spec: ModelSpec): Model {
  const layers = spec.layers.map((layer, index): Layer =>
    layer.type === 'dense' && index === spec.layers.length - 1
      ? { ...layer, units: data.classes }
      : layer,
  );
  try {
    return withInputType(data.inputType, { ...spec, input: data.shape, layers });
  } catch (cause) {
    if (!(cause instanceof DtrainError)) throw cause;
    const problem = cause.message.replace(/\.$/, '');
    throw new DtrainError(
      'MODEL_INVALID',
      `${spec.name} does not take samples of ${data.shape.join('x')} (${problem}); choose another with --model, such as mlp.`,
      { cause },
    );
  }
}

/** A model as it is compiled for samples of that type. */
export function withInputType(inputType: InputType, spec: ModelSpec): Model {
  // Bytes go without saying, so that descriptions of models for them stay as they were.
  return buildModel(inputType === 'uint8' ? spec : { ...spec, inputType });
}
