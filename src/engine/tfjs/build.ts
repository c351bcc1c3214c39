import type { Tensor } from '@tensorflow/tfjs-core';
import type { layers, LayersModel } from '@tensorflow/tfjs-layers';
import { DtrainError, reasonOf } from '../../errors.js';
import { sizeOf } from '../../model/model.js';
import { withChance } from './chance.js';
import type { TensorFlow } from './libraries.js';
import type { LossName } from '../../model/layers.js';
import { containedActivation } from './loss.js';
import type { Topology } from './topology.js';

type Layer = layers.Layer;

/** Weights of a model, and values that its layers put out for one sample, all together. */
export const MOST_WEIGHTS = 64 * 1024 * 1024;
const MOST_VALUES = 64 * 1024 * 1024;

/** What TensorFlow.js's layers have beside what their types say. */
interface LayerInternals {
  activation?: { getClassName(): string };
  axis?: number;
  seed?: number | null;
  gamma?: { read(): Tensor } | null;
  beta?: { read(): Tensor } | null;
  movingMean?: { shape: number[] };
  layers?: Layer[];
}

/**
 * Has TensorFlow.js build the model that a topology describes, for training with a loss: without
 * the activation at its end that the loss contains. The seed decides the first weights.
 * @throws DtrainError MODEL_INVALID, with TensorFlow.js's words, if the layers do not fit together
 */
export async function buildLayersModel(
  tensorFlow: TensorFlow,
  topology: Topology,
  loss: LossName,
  seed: number,
): Promise<LayersModel> {
  const model = await deserialize(tensorFlow, topology, seed);
  const all = layersOf(model);
  const values = all.reduce((sum, { outputShape }) => sum + valuesOf(outputShape), 0);
  if (!(values <= MOST_VALUES)) throw invalid('its layers put out too many values');
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    throw invalid('it has more than one input or output');
  }
  for (const layer of all) prepare(tensorFlow, layer);
  removeActivation(tensorFlow, lastLayer(model), loss);
  return model;
}

async function deserialize(
  { layers }: TensorFlow,
  topology: Topology,
  seed: number,
): Promise<LayersModel> {
  // The function is asynchronous for models with files of weights; of a topology alone it has built
  // all when it returns, so chance and the limit hold for the whole of it.
  const build = (): Promise<LayersModel> =>
    withChance({ seed, step: 0, first: 0 }, () =>
      layers.models.modelFromJSON({ modelTopology: topology as never }),
    );
  try {
    return await withWeightLimit(layers.layers.Layer.prototype, build);
  } catch (cause) {
    if (cause instanceof DtrainError) throw cause;
    throw invalid(`TensorFlow.js cannot build it (${reasonOf(cause).replace(/\.$/, '')})`, cause);
  }
}

type AddWeight = (name: string, shape: number[], ...rest: unknown[]) => unknown;

/** Counts the weights that `build` makes before they are made. */
function withWeightLimit<T>(prototype: object, build: () => T): T {
  const weighted = prototype as { addWeight: AddWeight };
  const { addWeight } = weighted;
  let weights = 0;
  weighted.addWeight = function (this: unknown, name, shape, ...rest) {
    weights += sizeOf(shape);
    if (!(weights <= MOST_WEIGHTS)) {
      throw invalid(`it has more than the ${MOST_WEIGHTS} parameters supported`);
    }
    return addWeight.call(this, name, shape, ...rest);
  };
  try {
    return build();
  } finally {
    weighted.addWeight = addWeight;
  }
}

/** All layers, those of models within the model too. */
export function layersOf(container: object): Layer[] {
  const { layers = [] } = container as LayerInternals;
  return layers.flatMap((layer) => [layer, ...layersOf(layer)]);
}

/** Values of one sample in a shape or a list of shapes. */
function valuesOf(shape: Layer['outputShape']): number {
  return shape.reduce<number>((product, extent) => {
    return Array.isArray(extent) ? product + valuesOf(extent) : product * (extent ?? 1);
  }, 1);
}

/** Mends what keeps a layer of TensorFlow.js 4.22 from training, or from training as a run does. */
function prepare({ core }: TensorFlow, layer: Layer): void {
  const internals = layer as LayerInternals;
  // With a seed of its own a layer would drop the same values in every step.
  if (layer.getClassName().includes('Dropout')) internals.seed = null;
  if (layer.getClassName() !== 'BatchNormalization') return;
  // In training it reads a scale and an offset that it does not have.
  const shape = internals.movingMean?.shape ?? [];
  internals.gamma ??= { read: () => core.ones(shape) };
  internals.beta ??= { read: () => core.zeros(shape) };
}

/** The layer that puts out what the model puts out. */
function lastLayer(model: LayersModel): Layer | undefined {
  const last = model.outputs[0]?.sourceLayer;
  const inner = last as (Layer & Partial<LayersModel>) | undefined;
  return inner?.outputs ? lastLayer(inner as unknown as LayersModel) : last;
}

function removeActivation({ layers }: TensorFlow, layer: Layer | undefined, loss: LossName): void {
  const contained = containedActivation[loss];
  const internals = layer as (Layer & LayerInternals) | undefined;
  if (internals?.activation?.getClassName().toLowerCase() === contained) {
    const linear = layers.layers.activation({ activation: 'linear' }) as LayerInternals;
    if (linear.activation) internals.activation = linear.activation;
  }
  if (internals?.getClassName() === 'Softmax' && contained === 'softmax') {
    internals.call = (inputs) => (Array.isArray(inputs) ? (inputs[0] ?? []) : inputs);
  }
}

function invalid(problem: string, cause?: unknown): DtrainError {
  return new DtrainError('MODEL_INVALID', `The model: ${problem}.`, { cause });
}
