import { z } from 'zod';
import { extent, oneOf } from './fields.js';

/** As many as a graph of 256 layers may have, with activations and inputs of their own. */
const MOST_LAYERS = 1024;

/** [layer, node, tensor] */
const reference = z.tuple([z.string(), z.number(), z.number()], {
  error: 'must be [layer, 0, 0]',
});
const keras2Reference = z
  .tuple([z.string(), z.number(), z.number()])
  .rest(z.unknown())
  .transform(([layer]) => layer);

/** A tensor among the arguments of a layer's call, as Keras 3 writes it. */
const kerasTensor = z
  .object({
    class_name: z.literal('__keras_tensor__'),
    config: z.object({ keras_history: reference }),
  })
  .transform(({ config }) => config.keras_history[0]);
const keras3Node = z
  .object({
    args: z.array(z.union([kerasTensor, z.array(kerasTensor)]), {
      error: 'must hold the layers that it takes',
    }),
  })
  .transform(({ args }) => args.flat());

const node = z.union([keras3Node, z.array(keras2Reference)], {
  error: 'must name the layers whose outputs it takes',
});

const layer = z.object({
  class_name: z.string(),
  config: z.looseObject({ name: z.string() }),
  inbound_nodes: z.array(node).nullish(),
});

/** A layer as a Keras model's config has it, with the layers whose outputs each call of it takes. */
export type KerasLayer = z.infer<typeof layer>;

const ends = z.union([
  z.array(reference),
  // Keras 3 leaves the list out around a single one.
  reference.transform((one) => [one]),
]);

/** A model.json's `modelTopology`: what Keras itself saves has it one level deeper. */
export const topology = z.preprocess(
  (value) => z.object({ model_config: z.unknown() }).safeParse(value).data?.model_config ?? value,
  z.object({
    class_name: oneOf(['Sequential', 'Functional', 'Model']),
    config: z.object({
      name: z.string().nullish(),
      layers: z
        .array(layer)
        .min(1, { error: 'must hold a layer' })
        .max(MOST_LAYERS, { error: `must hold ${MOST_LAYERS} layers or fewer` }),
      input_layers: ends.nullish(),
      output_layers: ends.nullish(),
    }),
  }),
);
export type Topology = z.infer<typeof topology>;

/** What samples look like, as a layer's config says it. */
export const inputShape = z
  .tuple([z.unknown(), extent, extent, extent], {
    error: 'must be [null, rows, columns, channels]',
  })
  .transform(([, rows, columns, channels]): [number, number, number] => [rows, columns, channels]);
