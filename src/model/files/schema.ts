import { z } from 'zod';
import { inputTypes, type Layer, losses, type ModelSpec, SAMPLE } from '../layers.js';
import { extent, oneOf, pair } from './fields.js';

const MOST_LAYERS = 256;
const LAYER_NAME = /^[A-Za-z0-9._/-]{1,128}$/;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** Every `type` that a layer can have. */
export const layerTypes: readonly string[] = [
  'conv2d',
  'maxPool2d',
  'averagePool2d',
  'globalAveragePool2d',
  'zeroPadding2d',
  'relu',
  'relu6',
  'leakyReLU',
  'elu',
  'tanh',
  'sigmoid',
  'softmax',
  'flatten',
  'dropout',
  'dense',
  'add',
] satisfies Layer['type'][];

const padding = oneOf(['same', 'valid']);
const zeros = z.tuple([z.number(), z.number()], { error: 'must be two whole numbers' });
const inputs = z
  .array(
    z.custom<number>((value) => Number.isInteger(value) && Number(value) >= SAMPLE, {
      error: `must be the number of a layer, or ${SAMPLE} for the sample`,
    }),
  )
  .min(1, { error: 'must hold a layer' })
  .max(MOST_LAYERS, { error: `must hold ${MOST_LAYERS} layers or fewer` });

/** Whether a layer may have this name. */
export function isLayerName(value: unknown): value is string {
  return typeof value === 'string' && LAYER_NAME.test(value);
}

const placing = {
  name: z
    .custom<string>(isLayerName, {
      error: 'must be 1 to 128 letters, digits, dots, underscores, hyphens or slashes',
    })
    .exactOptional(),
  inputs: inputs.exactOptional(),
};

function layerOf<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject({ ...shape, ...placing });
}

const layer = z.discriminatedUnion(
  'type',
  [
    layerOf({
      type: z.literal('conv2d'),
      filters: extent,
      kernel: pair,
      strides: pair,
      padding,
    }),
    layerOf({
      type: z.enum(['maxPool2d', 'averagePool2d']),
      size: pair,
      strides: pair,
      padding,
    }),
    layerOf({ type: z.literal('zeroPadding2d'), zeros: z.tuple([zeros, zeros]) }),
    layerOf({
      type: z.enum([
        'relu',
        'relu6',
        'tanh',
        'sigmoid',
        'softmax',
        'flatten',
        'globalAveragePool2d',
      ]),
    }),
    layerOf({ type: z.enum(['leakyReLU', 'elu']), alpha: z.number() }),
    layerOf({ type: z.literal('dropout'), rate: z.number() }),
    layerOf({ type: z.literal('dense'), units: extent }),
    z.strictObject({ type: z.literal('add'), name: placing.name, inputs }),
  ],
  { error: `must be one of ${layerTypes.join(', ')}` },
) satisfies z.ZodType<Layer>;

/** Whether a model may have this name. */
export function isModelName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

/** A model description; whether its layers fit together is for `buildModel` to check. */
export const modelSpecSchema = z.strictObject({
  name: z.custom<string>(isModelName, {
    error: 'must be 1 to 64 letters, digits, dots, underscores or hyphens',
  }),
  input: z.tuple([extent, extent, extent], { error: 'must be [rows, columns, channels]' }),
  inputType: oneOf(inputTypes).exactOptional(),
  loss: oneOf(losses).exactOptional(),
  // Counted before any layer is looked at, so that a long list costs nothing.
  layers: z
    .array(z.unknown())
    .min(1, { error: 'must hold a layer' })
    .max(MOST_LAYERS, { error: `must hold ${MOST_LAYERS} layers or fewer` })
    .pipe(z.array(layer)),
}) satisfies z.ZodType<ModelSpec>;
