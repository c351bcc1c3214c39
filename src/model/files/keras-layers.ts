import { z } from 'zod';
import type { Layer, Pair } from '../layers.js';
import { extent, oneOf, pair } from './fields.js';

/** One thing that a Keras layer does; only the last in a model may be a softmax. */
export type Step = Layer | { readonly type: 'softmax' };

const activations = ['linear', 'relu', 'tanh', 'sigmoid', 'softmax'] as const;
type KerasActivation = (typeof activations)[number];

const activation = oneOf(activations).nullish();
const padding = oneOf(['valid', 'same']);
const channelsLast = oneOf(['channels_last']).nullish();
const withBias = z.literal(true, { error: 'must be true' }).nullish();
const pairOrOne = z.union([pair, extent.transform((both): Pair => [both, both])], {
  error: 'must be one or two whole numbers from 1 to 65536',
});
const undilated = pairOrOne.refine(([rows, columns]) => rows === 1 && columns === 1, 'must be 1');

/** A number that, if it is there, must be one of `values`. */
function fixed(...values: number[]) {
  return z.literal(values, { error: `must be ${values.join(' or ')}` }).nullish();
}

function activationSteps(name: KerasActivation | null | undefined): Step[] {
  return name == null || name === 'linear' ? [] : [{ type: name }];
}

const convolution = z
  .object({
    filters: extent,
    kernel_size: pairOrOne,
    strides: pairOrOne.nullish(),
    padding,
    data_format: channelsLast,
    dilation_rate: undilated.nullish(),
    groups: fixed(1),
    activation,
    use_bias: withBias,
  })
  .transform((config): Step[] => {
    const { filters, kernel_size: kernel, strides } = config;
    return [
      { type: 'conv2d', filters, kernel, strides: strides ?? [1, 1], padding: config.padding },
      ...activationSteps(config.activation),
    ];
  });

function pooling(type: 'maxPool2d' | 'averagePool2d') {
  return z
    .object({
      pool_size: pairOrOne,
      strides: pairOrOne.nullish(),
      padding,
      data_format: channelsLast,
    })
    .transform((config): Step[] => {
      const size = config.pool_size;
      return [{ type, size, strides: config.strides ?? size, padding: config.padding }];
    });
}

const dense = z
  .object({ units: extent, activation, use_bias: withBias })
  .transform((config): Step[] => [
    { type: 'dense', units: config.units },
    ...activationSteps(config.activation),
  ]);

const relu = z
  .object({
    max_value: z.null({ error: 'must be null' }).optional(),
    negative_slope: fixed(0),
    threshold: fixed(0),
  })
  .transform((): Step[] => [{ type: 'relu' }]);

/** For each class_name that a model may have: what a layer of that config does. */
export const kerasLayers: ReadonlyMap<string, z.ZodType<Step[]>> = new Map<
  string,
  z.ZodType<Step[]>
>([
  ['Conv2D', convolution],
  ['MaxPooling2D', pooling('maxPool2d')],
  ['AveragePooling2D', pooling('averagePool2d')],
  ['Activation', z.object({ activation }).transform((of) => activationSteps(of.activation))],
  ['ReLU', relu],
  // The default axis of TensorFlow.js is 1: the last one, if the samples are flat.
  ['Softmax', z.object({ axis: fixed(-1, 1) }).transform((): Step[] => [{ type: 'softmax' }])],
  [
    'Flatten',
    z.object({ data_format: channelsLast }).transform((): Step[] => [{ type: 'flatten' }]),
  ],
  ['Dense', dense],
]);
