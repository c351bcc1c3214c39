import { z } from 'zod';
import { parseModelSpec } from '../model/files/spec.js';
import { tfjsFiles } from '../model/files/tfjs.js';
import { buildModel, type Model } from '../model/model.js';
import { layersFiles } from './tfjs/layers-files.js';
import { type LayersModel, type NamedLayersModel, parseLayersModel } from './tfjs/spec.js';

/** What a run trains: a model of dtrain's layers, or one of TensorFlow.js's. */
export type RunModel = Model | LayersModel;

/** One whose weights are known by their names. */
export type NamedRunModel = Model | NamedLayersModel;

export function isLayersModel<M extends RunModel>(model: M): model is Extract<M, LayersModel> {
  return 'topology' in model.spec;
}

/** The content of `model.json` and of `weights.bin` beside it, as `tf.loadLayersModel` reads them. */
export function jsonFilesOf(
  model: NamedRunModel,
  weights: Float32Array,
): { modelJson: string; weightsBin: Uint8Array } {
  return isLayersModel(model) ? layersFiles(model, weights) : tfjsFiles(model, weights);
}

/**
 * The model that a coordinator describes, which is not trusted.
 * @throws DtrainError MODEL_INVALID
 */
export function parseRunModel(value: unknown): RunModel {
  const layers = z.looseObject({ topology: z.unknown() }).safeParse(value);
  const isLayers = layers.success && layers.data.topology !== undefined;
  return isLayers ? parseLayersModel(value) : buildModel(parseModelSpec(value));
}
