import { z } from 'zod';
import { DtrainError } from '../../errors.js';
import { isModelName } from '../../model/files/schema.js';
import type { ModelData } from '../../model/adapt.js';
import { kerasConfig } from '../../model/files/keras-config.js';
import { inputTypes, losses } from '../../model/layers.js';
import type { Model, Parameter } from '../../model/model.js';
import { MOST_WEIGHTS } from './build.js';
import { parseTopology, type Topology } from './topology.js';

const count = z.int().min(1).max(MOST_WEIGHTS);

const specSchema = z.strictObject({
  name: z.custom<string>(isModelName),
  /** [rows, columns, channels] of one sample; a model of another shape takes its values in order. */
  input: z.tuple([count, count, count]),
  /** Of its values where they are not bytes. */
  inputType: z.enum(inputTypes).exactOptional(),
  topology: z.custom<Topology>((value) => typeof value === 'object' && value !== null),
  loss: z.enum(losses),
  classes: z.int().min(2).max(256),
  parameterCount: count,
  /** How many of the flat weights the optimizer moves: the first ones. */
  trainableCount: count,
});

/** A TensorFlow.js layers model as it is told to workers and threads: plain data. */
export type LayersSpec = Readonly<z.infer<typeof specSchema>>;

/** A TensorFlow.js layers model, which TensorFlow.js's own autodiff trains. */
export interface LayersModel {
  readonly spec: LayersSpec;
  readonly parameterCount: number;
  readonly classes: number;
}

/** One whose weights are known by their names. */
export interface NamedLayersModel extends LayersModel {
  readonly parameters: readonly Parameter[];
}

/** A model for such samples, whose values it takes in whatever shape it wants. */
export function withSamples(
  model: NamedLayersModel,
  { shape, inputType }: Pick<ModelData, 'shape' | 'inputType'>,
): NamedLayersModel {
  const [rows, columns, channels] = shape;
  const bytes = inputType === 'uint8';
  const input: [number, number, number] = [rows, columns, channels];
  return { ...model, spec: { ...model.spec, input, ...(!bytes && { inputType }) } };
}

/** A model of dtrain's own layers as one of TensorFlow.js's, with the same flat weights. */
export function layersSpecOf(model: Model): LayersSpec {
  const { spec, loss, classes, parameterCount } = model;
  const [rows, columns, channels] = spec.input;
  return {
    ...(spec.inputType && { inputType: spec.inputType }),
    name: spec.name,
    input: [rows, columns, channels],
    topology: parseTopology(kerasConfig(model)),
    loss,
    classes,
    parameterCount,
    trainableCount: parameterCount,
  };
}

/**
 * Checks a description that comes from the network and is not trusted. Whether it has as many
 * weights as it says is for the threads that build it to check.
 * @throws DtrainError MODEL_INVALID
 */
export function parseLayersModel(value: unknown): LayersModel {
  const parsed = specSchema.safeParse(value);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new DtrainError('MODEL_INVALID', `The model's description: ${path} is not right.`);
  }
  const spec = { ...parsed.data, topology: parseTopology(parsed.data.topology) };
  return { spec, parameterCount: spec.parameterCount, classes: spec.classes };
}
