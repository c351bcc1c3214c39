import { z } from 'zod';
import type { Model } from '../model.js';
import { fileError, fileSize, parseJson, readBytes } from './disk.js';
import { weightBytes } from './floats.js';
import { kerasConfig } from './keras-config.js';
import { check, clause, oneOf } from './fields.js';
import { modelOfTopology, topology } from './tfjs-topology.js';
import { readWeights, weightsManifest } from './tfjs-weights.js';

const LARGEST_MODEL_JSON = 16 * 1024 * 1024;

const modelJson = z.object({
  format: oneOf(['layers-model']).nullish(),
  modelTopology: topology,
  weightsManifest,
  userDefinedMetadata: z.unknown().optional(),
});

const ourMetadata = z.object({ dtrain: z.object({ model: z.string() }) });

/**
 * A model and its flat weights in the format that `tf.loadLayersModel` reads: the content of
 * `model.json` and of `weights.bin` beside it, which is the weights as little-endian float32 and
 * nothing else. The model written ends in a softmax, so that predictions are probabilities.
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
    modelTopology: tfjsTopology(model),
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: model.parameters.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
      },
    ],
    userDefinedMetadata: { dtrain: { model: name } } satisfies z.infer<typeof ourMetadata>,
  };
  return {
    modelJson: `${JSON.stringify(content, null, 2)}\n`,
    weightsBin: weightBytes(model, weights),
  };
}

/** The `modelTopology` of a model's `model.json`. */
export function tfjsTopology(model: Model): Readonly<Record<string, unknown>> {
  return {
    class_name: 'Sequential',
    config: { name: model.spec.name, layers: kerasConfig(model) },
    keras_version: 'tfjs-layers 4.22.0',
    backend: 'tensor_flow.js',
  };
}

/**
 * Reads a TensorFlow.js layers model from its `model.json`: what `tfjsFiles` writes, and what
 * TensorFlow.js saves, if it is a Sequential of layers that dtrain has. A softmax at its end is
 * left out, since dtrain's models end in logits.
 * @throws DtrainError MODEL_FILE, naming the file and the layer, for all else.
 */
export async function readTfjsModel(
  path: string,
): Promise<{ model: Model; weights: Float32Array }> {
  if ((await fileSize(path)) > LARGEST_MODEL_JSON) {
    throw fileError(
      path,
      `it is larger than the ${LARGEST_MODEL_JSON} bytes a model.json may have`,
    );
  }
  const content = check(modelJson, parseJson(await readBytes(path), path, 'it'));
  if (!content.ok) throw fileError(path, clause(content.path, content.complaint));
  const { modelTopology, weightsManifest: groups, userDefinedMetadata } = content.value;
  const ours = ourMetadata.safeParse(userDefinedMetadata).data;
  const named = modelOfTopology(path, modelTopology, ours?.dtrain.model);
  return { model: named.model, weights: await readWeights(path, named, groups) };
}
