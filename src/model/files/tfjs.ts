import { z } from 'zod';
import { losses } from '../layers.js';
import type { Model } from '../model.js';
import { fileError, fileSize, parseJson, readBytes } from './disk.js';
import { weightBytes } from './floats.js';
import { kerasConfig } from './keras-config.js';
import { compiledLoss } from './keras-loss.js';
import { topology } from './keras-topology.js';
import { check, clause, oneOf } from './fields.js';
import { modelOfTopology } from './tfjs-topology.js';
import { readWeights, weightsManifest } from './tfjs-weights.js';

const LARGEST_MODEL_JSON = 16 * 1024 * 1024;

const modelJson = z.object({
  format: oneOf(['layers-model']).nullish(),
  modelTopology: topology,
  weightsManifest: weightsManifest.nullish(),
  userDefinedMetadata: z.unknown().optional(),
});

/** A model, and its flat weights if its file has them. */
export interface ReadModel {
  readonly model: Model;
  readonly weights: Float32Array | undefined;
}

const ourMetadata = z.object({
  dtrain: z.object({ model: z.string(), loss: z.enum(losses).optional() }),
});

/**
 * A model and its flat weights in the format that `tf.loadLayersModel` reads: the content of
 * `model.json` and of `weights.bin` beside it, which is the weights as little-endian float32 and
 * nothing else. A softmax or sigmoid that the loss contains is written as the last layer, so that
 * predictions are probabilities.
 * @throws RangeError if there are not as many weights as the model has parameters.
 */
export function tfjsFiles(
  model: Model,
  weights: Float32Array,
): { modelJson: string; weightsBin: Uint8Array } {
  const { name } = model.spec;
  const content = {
    format: 'layers-model',
    generatedBy: 'dtrain',
    convertedBy: null,
    modelTopology: {
      ...kerasConfig(model),
      keras_version: 'tfjs-layers 4.22.0',
      backend: 'tensor_flow.js',
    },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: model.parameters.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
      },
    ],
    userDefinedMetadata: {
      dtrain: { model: name, ...(model.spec.loss && { loss: model.spec.loss }) },
    } satisfies z.infer<typeof ourMetadata>,
  };
  return {
    modelJson: `${JSON.stringify(content, null, 2)}\n`,
    weightsBin: weightBytes(model, weights),
  };
}

/**
 * Reads a TensorFlow.js layers model from its `model.json`: what `tfjsFiles` writes, and what
 * TensorFlow.js saves or converts from Keras, if it has layers that dtrain has. A file without
 * weights, or with nothing but a Keras model's config, describes a model. What it was compiled with
 * says which loss it has.
 * @throws DtrainError MODEL_FILE, naming the file and the layer, for all else.
 */
export async function readTfjsModel(path: string): Promise<ReadModel> {
  if ((await fileSize(path)) > LARGEST_MODEL_JSON) {
    throw fileError(
      path,
      `it is larger than the ${LARGEST_MODEL_JSON} bytes a model.json may have`,
    );
  }
  const json = parseJson(await readBytes(path), path, 'it');
  const isConfig = z.object({ class_name: z.string() }).safeParse(json).success;
  const whole = isConfig ? { modelTopology: json } : json;
  const content = check(modelJson, whole);
  if (!content.ok) throw fileError(path, clause(content.path, content.complaint));
  const { modelTopology, weightsManifest: groups } = content.value;
  const ours = ourMetadata.safeParse(content.value.userDefinedMetadata).data?.dtrain;
  const loss = ours?.loss ?? compiledLoss(path, whole);
  const named = modelOfTopology(path, modelTopology, { name: ours?.model, loss });
  const hasWeights = groups?.some(({ weights }) => weights.length > 0);
  const weights = hasWeights ? await readWeights(path, named, groups ?? []) : undefined;
  return { model: named.model, weights };
}
