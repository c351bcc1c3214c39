import { stat } from 'node:fs/promises';
import { DtrainError } from '../../errors.js';
import { sha256 } from '../../sha256.js';
import { builtInModels, builtInNames } from '../built-in.js';
import { buildModel, type Model } from '../model.js';
import { weightBytes } from './floats.js';
import { openModel } from './load.js';

/** A model to train, and the weights to start from if it brings any. */
export interface FoundModel {
  readonly model: Model;
  readonly weights: Float32Array | undefined;
  /** It adapts to any data. */
  readonly builtIn: boolean;
  /** Tells it from any other: of its description and its weights. */
  readonly sha256: string;
}

/**
 * The built-in model of that name, or the model in that file or folder.
 * @throws DtrainError USAGE if there is neither, MODEL_FILE if it is not a model dtrain can take
 */
export async function findModel(place: string): Promise<FoundModel> {
  const spec = builtInModels.get(place);
  if (spec) return found(buildModel(spec), undefined, true);
  if (!(await stat(place).catch(() => undefined))) {
    const message = `There is no model ${place}: give --model ${builtInNames}, or a model's file or folder.`;
    throw new DtrainError('USAGE', message);
  }
  const { model, weights } = await openModel(place);
  return found(model, weights, false);
}

function found(model: Model, weights: Float32Array | undefined, builtIn: boolean): FoundModel {
  const description = new TextEncoder().encode(JSON.stringify(model.spec));
  const values = weights ? weightBytes(model, weights) : new Uint8Array();
  return { model, weights, builtIn, sha256: sha256(Buffer.concat([description, values])) };
}
