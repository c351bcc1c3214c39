import { z } from 'zod';
import { fileError, fileSize, parseJson, readBytes } from '../../model/files/disk.js';
import { compiledLoss } from '../../model/files/keras-loss.js';
import { isModelName } from '../../model/files/schema.js';
import { readWeights, weightsManifest } from '../../model/files/tfjs-weights.js';
import { kerasPlaces } from '../../model/files/keras-variables.js';
import type { LossName } from '../../model/layers.js';
import { LayersEngine } from './layers-engine.js';
import type { LayersFile, ReadLayersModel } from './layers-file.js';
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
type Content = z.infer<typeof modelJson>;

/** The content of a model.json, or of a file that has a model's config alone. */
async function contentOf(file: string): Promise<Content> {
  if ((await fileSize(file)) > LARGEST_MODEL_JSON) throw fileError(file, 'it is too large');
  const json = parseJson(await readBytes(file), file, 'it');
  const isConfig = z.object({ class_name: z.string() }).safeParse(json).success;
  const content = modelJson.safeParse(isConfig ? { modelTopology: json } : json);
  if (!content.success) throw fileError(file, 'it is no model.json of TensorFlow.js');
  return content.data;
}

/**
 * A TensorFlow.js layers model's `model.json`, or the JSON of a model's config alone. What it was
 * compiled with says which loss it has; else a single output has binary and several have softmax
 * cross-entropy.
 * @throws DtrainError MODEL_FILE if it is another file
 */
export async function jsonFile(file: string): Promise<LayersFile> {
  const content = await contentOf(file);
  return { known: isKnown(content.modelTopology), read: (seed) => read(file, content, seed) };
}

function isKnown(modelTopology: unknown): boolean {
  try {
    parseTopology(modelTopology);
    return true;
  } catch {
    return false;
  }
}

async function read(file: string, content: Content, seed: number): Promise<ReadLayersModel> {
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
  return { model, weights, trained };
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
