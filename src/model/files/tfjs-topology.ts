import { z } from 'zod';
import type { DtrainError } from '../../errors.js';
import type { Model } from '../model.js';
import { describedModel } from './describe.js';
import { fileError } from './disk.js';
import { check, clause, escaped, extent, oneOf, quoted } from './fields.js';
import { kerasLayers, type Step } from './keras-layers.js';
import { isModelName } from './schema.js';

const kerasLayer = z.object({
  class_name: z.string(),
  config: z.looseObject({ name: z.string() }),
});
type KerasLayer = z.infer<typeof kerasLayer>;

/** A model.json's `modelTopology`: what Keras itself saves has it one level deeper. */
export const topology = z.preprocess(
  (value) => z.object({ model_config: z.unknown() }).safeParse(value).data?.model_config ?? value,
  z.object({
    class_name: oneOf(['Sequential']),
    config: z.object({
      name: z.string().nullish(),
      layers: z.array(kerasLayer).min(1, { error: 'must hold a layer' }),
    }),
  }),
);

const withInput = z.object({
  batch_input_shape: z
    .tuple([z.unknown(), extent, extent, extent], {
      error: 'must be [null, rows, columns, channels]',
    })
    .transform(([, rows, columns, channels]) => [rows, columns, channels]),
});

/** A model, and what its file calls the parameters, in their order. */
export interface NamedModel {
  readonly model: Model;
  readonly weightNames: readonly string[];
}

/**
 * The model that a Keras Sequential describes, called `name` if that is a name. A softmax at its
 * end is left out, since the model's loss contains it.
 * @throws DtrainError MODEL_FILE, naming the layer, for what dtrain's layers cannot do.
 */
export function modelOfTopology(
  file: string,
  { config: { name: kerasName, layers } }: z.infer<typeof topology>,
  name?: unknown,
): NamedModel {
  const placed = layers.flatMap((layer, index) => {
    return stepsOf(layer, index, file).map((step) => ({ step, layer }));
  });
  if (placed.at(-1)?.step.type === 'softmax') placed.pop();
  const early = placed.find(({ step }) => step.type === 'softmax');
  if (early) throw layerError(file, early.layer, 'softmax is supported at the end alone');

  const description = {
    name: [name, kerasName].find(isModelName) ?? 'model',
    input: inputOf(layers, file),
    layers: placed.map(({ step }) => step),
  };
  const model = describedModel(file, description, (index) => titleOf(placed[index]?.layer));
  const weightNames = model.layers.flatMap(({ kernel }, index) => {
    const owner = placed[index]?.layer.config.name ?? '';
    return kernel ? [`${owner}/kernel`, `${owner}/bias`] : [];
  });
  const twice = weightNames.find((each, at) => weightNames.indexOf(each) !== at);
  if (twice !== undefined) throw fileError(file, `two layers have the weight ${quoted(twice)}`);
  return { model, weightNames };
}

function stepsOf(layer: KerasLayer, index: number, file: string): Step[] {
  if (index === 0 && layer.class_name === 'InputLayer') return [];
  const schema = kerasLayers.get(layer.class_name);
  if (!schema) {
    const known = [...kerasLayers.keys()].join(', ');
    throw layerError(file, layer, `its class is not among the supported ${known}`);
  }
  const steps = check(schema, layer.config);
  if (!steps.ok) throw layerError(file, layer, clause(steps.path, steps.complaint));
  return steps.value;
}

function inputOf([first]: readonly KerasLayer[], file: string): readonly number[] {
  const input = check(withInput, first?.config);
  if (input.ok) return input.value.batch_input_shape;
  throw layerError(file, first, clause(input.path, input.complaint));
}

function titleOf(layer: KerasLayer | undefined): string {
  return `layer ${quoted(layer?.config.name)} (${escaped(layer?.class_name ?? '')})`;
}

function layerError(file: string, layer: KerasLayer | undefined, problem: string): DtrainError {
  return fileError(file, `${titleOf(layer)}: ${problem}`);
}
