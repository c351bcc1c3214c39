import { DtrainError } from '../../errors.js';
import { buildModel, type Model } from '../model.js';
import { fileError } from './disk.js';
import { parseModelSpec } from './spec.js';

/**
 * Builds the model that `file` describes.
 * @throws DtrainError MODEL_FILE if it is not a model that dtrain has; `layerName` gives what the
 * file calls the layer at an index, where that differs from what dtrain does.
 */
export function describedModel(
  file: string,
  description: unknown,
  layerName?: (index: number) => string,
): Model {
  try {
    return buildModel(parseModelSpec(description));
  } catch (error) {
    if (!(error instanceof DtrainError)) throw error;
    const problem = error.message
      .replace(/\.$/, '')
      .replace(/^layer (\d+) \(\w+\)/, (numbered, number) => {
        return layerName?.(Number(number) - 1) ?? numbered;
      });
    throw fileError(file, problem, error);
  }
}
