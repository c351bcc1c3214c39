import { z } from 'zod';
import { parseModelSpec } from '../model/files/spec.js';
import { buildModel, type Model } from '../model/model.js';
import { type LayersModel, type NamedLayersModel, parseLayersModel } from './tfjs/spec.js';

/** What a run trains: a model of dtrain's layers, or one of TensorFlow.js's. */
export type RunModel = Model | LayersModel;

/** One whose weights are known by their names. */
export type NamedRunModel = Model | NamedLayersModel;

export function isLayersModel<M extends RunModel>(model: M): model is Extract<M, LayersModel> {
  return 'topology' in model.spec;
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
