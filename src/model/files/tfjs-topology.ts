import type { DtrainError } from '../../errors.js';
import { type Layer, type LossName, SAMPLE } from '../layers.js';
import { containedLayers } from '../losses.js';
import type { Model } from '../model.js';
import { kerasNamesOf } from '../names.js';
import { describedModel } from './describe.js';
import { fileError } from './disk.js';
import { check, clause, escaped, quoted } from './fields.js';
import { kerasLayers } from './keras-layers.js';
import { usualLoss } from './keras-loss.js';
import { kerasPlaces } from './keras-variables.js';
import { inputShape, type KerasLayer, type Topology } from './keras-topology.js';
import { isLayerName, isModelName } from './schema.js';
import type { NamedWeights } from './tfjs-weights.js';

/** A model, and what its file calls the parameters. */
export interface NamedModel extends NamedWeights {
  readonly model: Model;
}

/** What a file says of a model beside its layers. */
interface Known {
  readonly name: unknown;
  readonly loss: LossName | undefined;
}

/** A layer of ours, its inputs set, and the Keras layer that it comes from. */
interface Placed {
  readonly layer: Layer;
  readonly inputs: readonly number[];
  readonly from: KerasLayer;
  /** The first of what that does. */
  readonly first: boolean;
}

/**
 * The model that a Keras Sequential or functional model describes, called `name` if that is a name.
 * A softmax or sigmoid at its end is left out where the loss contains it.
 * @throws DtrainError MODEL_FILE, naming the layer, for what dtrain's layers cannot do.
 */
export function modelOfTopology(file: string, topology: Topology, known: Known): NamedModel {
  const { name: kerasName, layers } = topology.config;
  const wired = topology.class_name === 'Sequential' ? chain(layers) : graph(topology, file);
  const placed = placeLayers(wired, file);
  const last = placed.at(-1);
  const loss = known.loss ?? usualLoss(last?.layer);
  if (last?.layer.type === containedLayers[loss]) placed.pop();
  else if (last) checkEnd(last, loss, file);

  const description = {
    name: [known.name, kerasName].find(isModelName) ?? 'model',
    input: sampleShape(layers, file),
    ...(loss !== 'softmaxCrossEntropy' && { loss }),
    layers: namedLayers(placed),
  };
  const model = describedModel(file, description, (index) => titleOf(placed[index]?.from));
  const weightNames = model.layers.flatMap(({ kernel }, index) => {
    const owner = placed[index]?.from.config.name ?? '';
    return kernel ? [`${owner}/kernel`, `${owner}/bias`] : [];
  });
  const twice = weightNames.find((each, at) => weightNames.indexOf(each) !== at);
  if (twice !== undefined) throw fileError(file, `two layers have the weight ${quoted(twice)}`);
  return { model, weightNames, aliases: aliasesOf(layers) };
}

/** Of the kernel and the bias of each layer. */
function aliasesOf(layers: readonly KerasLayer[]): Map<string, string> {
  const places = [...kerasPlaces(layers)];
  return new Map(
    places.flatMap(([name, place]) => [
      [`${place}/0`, `${name}/kernel`],
      [`${place}/1`, `${name}/bias`],
    ]),
  );
}

/** A Keras layer, what others call it, and the layers whose outputs it takes. */
interface Wired {
  readonly layer: KerasLayer;
  readonly key: string | number;
  readonly takes: readonly (string | number)[];
}

function chain(layers: readonly KerasLayer[]): Wired[] {
  return layers.map((layer, key) => ({ layer, key, takes: key === 0 ? [] : [key - 1] }));
}

function graph({ config }: Topology, file: string): Wired[] {
  const { layers, input_layers, output_layers } = config;
  for (const [what, ends] of Object.entries({ inputs: input_layers, outputs: output_layers })) {
    if (ends && ends.length !== 1) {
      throw fileError(file, `it has ${ends.length} ${what}, where dtrain's models have one`);
    }
  }
  return layers.map((layer) => {
    const [takes = [], ...others] = layer.inbound_nodes ?? [];
    if (others.length > 0) {
      throw layerError(file, layer, 'it is used in several places, which dtrain cannot do');
    }
    if (takes.length === 0 && layer.class_name !== 'InputLayer') {
      throw layerError(file, layer, 'its inbound_nodes name no layer whose output it takes');
    }
    return { layer, key: layer.config.name, takes };
  });
}

/** Our layers, each after its inputs; Keras' may stand in any order. */
function placeLayers(wired: readonly Wired[], file: string): Placed[] {
  const placed: Placed[] = [];
  const outputs = new Map<Wired['key'], number>();
  let waiting = wired;
  while (waiting.length > 0) {
    const left = waiting.filter(({ layer, key, takes }) => {
      const inputs = takes.flatMap((name) => outputs.get(name) ?? []);
      if (inputs.length < takes.length) return true;
      if (outputs.has(key)) throw layerError(file, layer, 'another layer has the same name');
      outputs.set(key, place(placed, layer, inputs, file));
      return false;
    });
    const [stuck] = left;
    if (stuck && left.length === waiting.length) {
      throw layerError(file, stuck.layer, 'what it takes is nowhere in the model');
    }
    waiting = left;
  }
  return placed;
}

/** Adds what a Keras layer does. @returns the layer of ours that has its output */
function place(
  placed: Placed[],
  from: KerasLayer,
  inputs: readonly number[],
  file: string,
): number {
  if (from.class_name === 'InputLayer' && inputs.length === 0) return SAMPLE;
  let taken: readonly number[] = inputs.length === 0 ? [SAMPLE] : inputs;
  ours(from, file).forEach((layer, index) => {
    taken = [placed.push({ layer, inputs: taken, from, first: index === 0 }) - 1];
  });
  const [output = SAMPLE, ...others] = taken;
  if (others.length > 0) throw layerError(file, from, 'it takes one input alone');
  return output;
}

function ours(layer: KerasLayer, file: string): readonly Layer[] {
  const schema = kerasLayers.get(layer.class_name);
  if (!schema) {
    const known = [...kerasLayers.keys()].join(', ');
    const problem = `its class is not among those of the exact engines (${known})`;
    throw layerError(file, layer, `${problem}; --engine tfjs trains others`);
  }
  const layers = check(schema, layer.config);
  if (layers.ok) return layers.value;
  const problem = clause(layers.path, layers.complaint);
  throw layerError(file, layer, `${problem} in the exact engines; --engine tfjs takes others`);
}

/** Each layer with its name and inputs, where they are not what they would be anyway. */
function namedLayers(placed: readonly Placed[]): Layer[] {
  const usual = kerasNamesOf(placed.map(({ layer }) => layer));
  return placed.map(({ layer, inputs, from, first }, index): Layer => {
    const own = from.config.name;
    const name = first && own !== usual[index] && isLayerName(own) && { name: own };
    if (layer.type === 'add') return { ...layer, ...name, inputs };
    const isNext = inputs.length === 1 && inputs[0] === index - 1;
    return { ...layer, ...name, ...(!isNext && { inputs }) };
  });
}

/** An end that means probabilities, where the loss wants what they are made of. */
function checkEnd({ layer, from }: Placed, loss: LossName, file: string): void {
  const wrong =
    loss !== 'meanSquaredError' && (layer.type === 'softmax' || layer.type === 'sigmoid');
  if (!wrong) return;
  const wanted = `${containedLayers[loss]} or none, which its loss ${loss} contains`;
  throw layerError(file, from, `its ${layer.type} is not the ${wanted}`);
}

function sampleShape(layers: readonly KerasLayer[], file: string): readonly number[] {
  const layer = layers.find(({ class_name }) => class_name === 'InputLayer') ?? layers[0];
  // Keras 3's name for it, or Keras 2's.
  const found = layer?.config.batch_shape ?? layer?.config.batch_input_shape;
  const shape = check(inputShape, found);
  if (shape.ok) return shape.value;
  throw layerError(file, layer, clause(['batch_input_shape', ...shape.path], shape.complaint));
}

function titleOf(layer: KerasLayer | undefined): string {
  return `layer ${quoted(layer?.config.name)} (${escaped(layer?.class_name ?? '')})`;
}

function layerError(file: string, layer: KerasLayer | undefined, problem: string): DtrainError {
  return fileError(file, `${titleOf(layer)}: ${problem}`);
}
