import { z } from 'zod';
import { fileError, fileSize, parseJson, readBytes } from '../../model/files/disk.js';
import { compiledLoss } from '../../model/files/keras-loss.js';
import { isModelName } from '../../model/files/schema.js';
import { readWeights, weightsManifest } from '../../model/files/tfjs-weights.js';
import type { LossName } from '../../model/layers.js';
import { LayersEngine } from './layers-engine.js';
import { layersMetadata } from './layers-files.js';
import { loadTensorFlow } from './libraries.js';
import type { NamedLayersModel } from './spec.js';
import { parseTopology } from './topology.js';

const LARGEST_MODEL_JSON = 16 * 1024 * 1024;
/** A description goes to workers in the header of a message. */
const LARGEST_TOPOLOGY = 192 * 1024;

const modelJson = z.object({
  modelTopology: z.looseObject({ training_config: z.unknown().optional() }),
  trainingConfig: z.unknown().optional(),
  weightsManifest: weightsManifest.nullish(),
  userDefinedMetadata: z.unknown().optional(),
});

/** Whether a file holds what `readLayersModel` reads, as far as can be told without TensorFlow.js. */
export async function holdsLayersModel(file: string): Promise<boolean> {
  try {
    const { modelTopology } = modelJson.parse(parseJson(await readBytes(file), file, 'it'));
    parseTopology(modelTopology);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads any TensorFlow.js layers model from its `model.json`. Without weights in its files, or where
 * they are not wanted, the seed decides the first ones. What it was compiled with says which loss it
 * has; else a single output has binary and several have softmax cross-entropy.
 * @throws DtrainError MODEL_FILE, MODEL_INVALID, ENGINE_MISSING
 */
export async function readLayersModel(
  file: string,
  seed: number,
): Promise<{ model: NamedLayersModel; weights: Float32Array; trained: boolean }> {
  if ((await fileSize(file)) > LARGEST_MODEL_JSON) throw fileError(file, 'it is too large');
  const content = modelJson.safeParse(parseJson(await readBytes(file), file, 'it'));
  if (!content.success) throw fileError(file, 'it is no model.json of TensorFlow.js');
  const { modelTopology, trainingConfig, weightsManifest: groups } = content.data;
  const ours = layersMetadata.safeParse(content.data.userDefinedMetadata).data?.dtrain;
  const topology = parseTopology(modelTopology);
  if (JSON.stringify(topology).length > LARGEST_TOPOLOGY) {
    throw fileError(file, `its topology is longer than the ${LARGEST_TOPOLOGY} bytes supported`);
  }
  const compiled =
    ours?.loss ?? compiledLoss(file, trainingConfig ?? modelTopology.training_config);
  const build = (loss: LossName): Promise<LayersEngine> =>
    loadTensorFlow().then((tensorFlow) => LayersEngine.create(tensorFlow, topology, loss, seed));
  let loss: LossName = compiled ?? 'binaryCrossEntropy';
  let engine = await build(loss);
  if (compiled === undefined && engine.outputs > 1) {
    loss = 'softmaxCrossEntropy';
    engine = await build(loss);
  }
  const { parameters, parameterCount, trainableCount, inputShape, outputs } = engine;
  const [rows = 1, columns = 1, channels = 1] = inputShape;
  const classes = Math.max(2, outputs);
  const named = { parameters, parameterCount };
  const model: NamedLayersModel = {
    ...named,
    classes,
    spec: {
      name: [ours?.model, topologyName(topology)].find(isModelName) ?? 'model',
      input: inputShape.length <= 3 ? [rows, columns, channels] : [1, 1, engine.sampleSize],
      topology,
      loss,
      classes,
      parameterCount,
      trainableCount,
    },
  };
  const weightNames = parameters.map(({ name }) => name);
  const trained = groups?.some(({ weights }) => weights.length > 0) ?? false;
  const weights = trained
    ? await readWeights(file, { model: named, weightNames }, groups ?? [])
    : engine.firstWeights;
  return { model, weights, trained };
}

function topologyName(topology: unknown): unknown {
  return z.object({ config: z.object({ name: z.string() }) }).safeParse(topology).data?.config.name;
}
