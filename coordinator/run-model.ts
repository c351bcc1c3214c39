import type { EngineChoice } from '../src/engine/names.js';
import type { NamedRunModel } from '../src/engine/run-model.js';
import type { FoundLayersModel } from '../src/engine/tfjs/read.js';
import { withSamples } from '../src/engine/tfjs/spec.js';
import { DtrainError } from '../src/errors.js';
import { adaptedTo, type ModelData, withInputType } from '../src/model/adapt.js';
import { findModel, type FoundModel } from '../src/model/files/find.js';
import { loadModel } from '../src/model/files/load.js';
import { initialWeights } from '../src/model/initial-weights.js';

/**
 * The built-in model of that name, or the one in that file or folder; with the engine `tfjs` also one
 * of layers that only TensorFlow.js has.
 * @throws DtrainError USAGE, MODEL_FILE, MODEL_INVALID, ENGINE_MISSING
 */
export function modelToTrain(
  place: string,
  engine: EngineChoice,
  seed: number,
): Promise<FoundModel | FoundLayersModel> {
  return orLayersModel(place, engine, seed, () => findModel(place));
}

/** The model as it is trained on such data, with the weights that it starts from. */
export function startingModel(
  found: FoundModel | FoundLayersModel,
  data: ModelData,
  seed: number,
): { model: NamedRunModel; weights: Float32Array } {
  if ('trained' in found) return { model: withSamples(found.model, data), weights: found.weights };
  const { spec } = found.model;
  const model = found.builtIn ? adaptedTo(data, spec) : withInputType(data.inputType, spec);
  return { model, weights: found.weights ?? initialWeights(model, seed) };
}

/**
 * The trained model in a file or a run's folder, likewise.
 * @throws DtrainError MODEL_FILE, for one without weights too, MODEL_INVALID, ENGINE_MISSING
 */
export async function trainedModel(
  place: string,
  engine: EngineChoice,
): Promise<{ model: NamedRunModel; weights: Float32Array; file: string }> {
  const found = await orLayersModel(place, engine, 0, () => loadModel(place));
  if (!('trained' in found) || found.trained) return found;
  const message = `${found.file}: it describes a model but has no weights of it.`;
  throw new DtrainError('MODEL_FILE', message);
}

async function orLayersModel<T>(
  place: string,
  engine: EngineChoice,
  seed: number,
  read: () => Promise<T>,
): Promise<T | FoundLayersModel> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof DtrainError)) throw error;
    const { openLayersModel } = await import('../src/engine/tfjs/read.js');
    const layers = await openLayersModel(place).catch(() => undefined);
    if (layers && engine === 'tfjs') return layers.read(seed);
    if (!layers?.known) throw error;
    if (error.message.includes('--engine tfjs')) throw error;
    const message = `${error.message} TensorFlow.js can compute it: add --engine tfjs.`;
    throw new DtrainError(error.code, message, { cause: error });
  }
}
