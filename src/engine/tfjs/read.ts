import { z } from 'zod';
import { fileError, fileSize, parseJson, readBytes } from '../../model/files/disk.js';
import { weightBytes } from '../../model/files/floats.js';
import { compiledLoss } from '../../model/files/keras-loss.js';
import { isModelName } from '../../model/files/schema.js';
import { readWeights, weightsManifest } from '../../model/files/tfjs-weights.js';
import { kerasPlaces } from '../../model/files/keras-variables.js';
import type { LossName } from '../../model/layers.js';
import { sha256 } from '../../sha256.js';
import { LayersEngine } from './layers-engine.js';
import { layersMetadata } from './layers-files.js';
import { loadTensorFlow } from './libraries.js';
import type { NamedLayersModel } from './spec.js';
import { parseTopology, type Topology } from './topology.js';

const LARGEST_MODEL_JSON = 16 * 1024 * 1024;
/** A description goes to workers in the header of a message. */
const LARGEST_TOPOLOGY = 192 * 1024;

const modelJson = z.object({
  modelTopology: z.looseObject({}),
  weightsManifest: weightsManifest.nullish(),
  userDefinedMetadata: z.unknown().optional(),
});

/** A model of TensorFlow.js's layers, as it was found in a file. */
export interface FoundLayersModel {
  readonly model: NamedLayersModel;
  /** The file's, or the seed's. */
  readonly weights: Float32Array;
  /** They are the file's. */
  readonly trained: boolean;
  readonly file: string;
  /** Of the description and the file's weights. */
  readonly sha256: string;
}

/** Whether a file looks like what `readLayersModel` reads, which then says what is wrong with it. */
export async function isModelJson(file: string): Promise<boolean> {
  return contentOf(file).then(
    () => true,
    () => false,
  );
}

/** Whether a file holds what `readLayersModel` reads, as far as can be told without TensorFlow.js. */
export async function holdsLayersModel(file: string): Promise<boolean> {
  try {
    parseTopology((await contentOf(file)).modelTopology);
    return true;
  } catch {
    return false;
  }
}

/** The content of a model.json, or of a file that has a model's config alone. */
async function contentOf(file: string): Promise<z.infer<typeof modelJson>> {
  if ((await fileSize(file)) > LARGEST_MODEL_JSON) throw fileError(file, 'it is too large');
  const json = parseJson(await readBytes(file), file, 'it');
  const isConfig = z.object({ class_name: z.string() }).safeParse(json).success;
  const content = modelJson.safeParse(isConfig ? { modelTopology: json } : json);
  if (!content.success) throw fileError(file, 'it is no model.json of TensorFlow.js');
  return content.data;
}

/**
 * Reads any TensorFlow.js layers model from its `model.json`. Without weights in its files, or where
 * they are not wanted, the seed decides the first ones. What it was compiled with says which loss it
 * has; else a single output has binary and several have softmax cross-entropy.
 * @throws DtrainError MODEL_FILE, MODEL_INVALID, ENGINE_MISSING
 */
export async function readLayersModel(file: string, seed: number): Promise<FoundLayersModel> {
  const content = await contentOf(file);
  const { modelTopology, weightsManifest: groups } = content;
  const ours = layersMetadata.safeParse(content.userDefinedMetadata).data?.dtrain;
  const topology = parseTopology(modelTopology);
  if (JSON.stringify(topology).length > LARGEST_TOPOLOGY) {
    throw fileError(file, `its topology is longer than the ${LARGEST_TOPOLOGY} bytes supported`);
  }
  const compiled = ours?.loss ?? compiledLoss(file, content);
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
  const aliases = aliasesOf(topology, engine);
  const trained = groups?.some(({ weights }) => weights.length > 0) ?? false;
  const weights = trained
    ? await readWeights(file, { model: named, weightNames, aliases }, groups ?? [])
    : engine.firstWeights;
  const description = new TextEncoder().encode(JSON.stringify(model.spec));
  const values = trained ? weightBytes(named, weights) : new Uint8Array();
  const hash = sha256(Buffer.concat([description, values]));
  return { model, weights, trained, file, sha256: hash };
}

const topologyLayers = z.object({
  config: z.union([z.array(z.unknown()), z.object({ layers: z.array(z.unknown()) })]),
});

function topologyName(topology: unknown): unknown {
  return z.object({ config: z.object({ name: z.string() }) }).safeParse(topology).data?.config.name;
}

/** What Keras calls weights where TensorFlow.js has other names for them. */
function aliasesOf(topology: Topology, { layerWeights }: LayersEngine): Map<string, string> {
  const aliases = new Map<string, string>();
  const { config } = topologyLayers.parse(topology);
  const places = kerasPlaces(Array.isArray(config) ? config : config.layers);
  for (const [layer, weights] of layerWeights) {
    weights.forEach((name, index) => {
      aliases.set(`${places.get(layer) ?? layer}/${index}`, name);
      aliases.set(name.replace(/depthwise_kernel$/, 'kernel'), name);
    });
  }
  return aliases;
}
