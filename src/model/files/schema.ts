import { z } from 'zod';
import type { Layer, ModelSpec } from '../layers.js';
import { extent, oneOf, pair } from './fields.js';

const MOST_LAYERS = 256;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** Every `type` that a layer can have. */
export const layerTypes: readonly string[] = [
  'conv2d',
  'maxPool2d',
  'averagePool2d',
  'relu',
  'tanh',
  'sigmoid',
  'flatten',
  'dense',
] satisfies Layer['type'][];

const padding = oneOf(['same', 'valid']);

const layer = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      type: z.literal('conv2d'),
      filters: extent,
      kernel: pair,
      strides: pair,
      padding,
    }),
    z.strictObject({
      type: z.enum(['maxPool2d', 'averagePool2d']),
      size: pair,
      strides: pair,
      padding,
    }),
    z.strictObject({ type: z.enum(['relu', 'tanh', 'sigmoid']) }),
    z.strictObject({ type: z.literal('flatten') }),
    z.strictObject({ type: z.literal('dense'), units: extent }),
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
  // Counted before any layer is looked at, so that a long list costs nothing.
  layers: z
    .array(z.unknown())
    .min(1, { error: 'must hold a layer' })
    .max(MOST_LAYERS, { error: `must hold ${MOST_LAYERS} layers or fewer` })
    .pipe(z.array(layer)),
}) satisfies z.ZodType<ModelSpec>;
