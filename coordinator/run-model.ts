import path from 'node:path';
import type { EngineChoice } from '../src/engine/names.js';
import type { NamedRunModel } from '../src/engine/run-model.js';
import { DtrainError } from '../src/errors.js';
import { loadModel } from '../src/model/files/load.js';
import { initialWeights } from '../src/model/initial-weights.js';
import { builtInModel } from '../src/model/lenet5.js';
import { buildModel } from '../src/model/model.js';

/** A model and its weights. */
export interface WeightedModel {
  readonly model: NamedRunModel;
  readonly weights: Float32Array;
  /** The weights are the model's own, not the seed's. */
  readonly trained: boolean;
}

/**
 * A built-in model, or the one in a file or folder, with the weights that a run starts from. With the
 * engine `tfjs` also one of layers that only TensorFlow.js has.
 * @throws DtrainError MODEL_FILE, MODEL_INVALID, ENGINE_MISSING
 */
export async function modelOf(
  place: string,
  engine: EngineChoice,
  seed: number,
): Promise<WeightedModel> {
  const builtIn = builtInModel(place);
  if (builtIn) {
    const model = buildModel(builtIn);
    return { model, weights: initialWeights(model, seed), trained: false };
  }
  try {
    const { model, weights } = await loadModel(place);
    return { model, weights, trained: true };
  } catch (error) {
    if (!(error instanceof DtrainError)) throw error;
    return await layersModelOf(place, engine, seed, error);
  }
}

/** @param error why dtrain's own layers are not enough */
async function layersModelOf(
  place: string,
  engine: EngineChoice,
  seed: number,
  error: DtrainError,
): Promise<WeightedModel> {
  const { holdsLayersModel, readLayersModel } = await import('../src/engine/tfjs/read.js');
  const file = place.endsWith('.json') ? place : path.join(place, 'model.json');
  if (!(await holdsLayersModel(file))) throw error;
  if (engine === 'tfjs') return readLayersModel(file, seed);
  if (error.message.includes('--engine tfjs')) throw error;
  const message = `${error.message} TensorFlow.js can compute it: add --engine tfjs.`;
  throw new DtrainError(error.code, message, { cause: error });
}
