import { z } from 'zod';
import type { Activation, Layer, Pair, Softmax } from '../layers.js';
import { extent, oneOf, pair } from './fields.js';

/** What Keras calls the activations that a layer may end in, and what each of them does. */
const activationLayers = {
  linear: [],
  relu: [{ type: 'relu' }],
  relu6: [{ type: 'relu6' }],
  leaky_relu: [{ type: 'leakyReLU', alpha: 0.2 }],
  elu: [{ type: 'elu', alpha: 1 }],
  tanh: [{ type: 'tanh' }],
  sigmoid: [{ type: 'sigmoid' }],
  softmax: [{ type: 'softmax' }],
} as const satisfies Record<string, readonly (Activation | Softmax)[]>;
type KerasActivation = keyof typeof activationLayers;

const activation = oneOf(Object.keys(activationLayers) as KerasActivation[]).nullish();
const slope = z.number().min(0, { error: 'must be 0 or more' });
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

function activationSteps(name: KerasActivation | null | undefined): readonly Layer[] {
  return activationLayers[name ?? 'linear'];
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
  .transform((config): readonly Layer[] => {
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
    .transform((config): readonly Layer[] => {
      const size = config.pool_size;
      return [{ type, size, strides: config.strides ?? size, padding: config.padding }];
    });
}

const dense = z
  .object({ units: extent, activation, use_bias: withBias })
  .transform((config): readonly Layer[] => [
    { type: 'dense', units: config.units },
    ...activationSteps(config.activation),
  ]);

const relu = z
  .object({
    max_value: z.literal(6, { error: 'must be null or 6' }).nullish(),
    negative_slope: slope.nullish(),
    threshold: fixed(0),
  })
  .refine((config) => config.max_value == null || (config.negative_slope ?? 0) === 0, {
    error: 'must be 0 beside a max_value',
    path: ['negative_slope'],
  })
  .transform((config): readonly Layer[] => {
    if (config.max_value === 6) return [{ type: 'relu6' }];
    const alpha = config.negative_slope ?? 0;
    return alpha === 0 ? [{ type: 'relu' }] : [{ type: 'leakyReLU', alpha }];
  });

/** Keras 2 calls the slope alpha, Keras 3 negative_slope. */
const leakyRelu = z
  .object({ alpha: slope.nullish(), negative_slope: slope.nullish() })
  .transform((config): readonly Layer[] => [
    { type: 'leakyReLU', alpha: config.negative_slope ?? config.alpha ?? 0.3 },
  ]);

const elu = z
  .object({ alpha: slope.nullish() })
  .transform((config): readonly Layer[] => [{ type: 'elu', alpha: config.alpha ?? 1 }]);

const zeros = z.tuple([z.number(), z.number()], { error: 'must be two whole numbers' });
const zeroPadding = z
  .object({
    padding: z.tuple([zeros, zeros], { error: 'must be [[top, bottom], [left, right]]' }),
    data_format: channelsLast,
  })
  .transform((config): readonly Layer[] => [{ type: 'zeroPadding2d', zeros: config.padding }]);

const globalPool = z
  .object({
    data_format: channelsLast,
    keepdims: z.literal(false, { error: 'must be false' }).nullish(),
  })
  .transform((): readonly Layer[] => [{ type: 'globalAveragePool2d' }]);

const dropout = z
  .object({
    rate: z.number().min(0, { error: 'must be 0 or more' }).lt(1, { error: 'must be less than 1' }),
    noise_shape: z.null({ error: 'must be null' }).optional(),
  })
  .transform((config): readonly Layer[] => [{ type: 'dropout', rate: config.rate }]);

const add = z.object({}).transform((): readonly Layer[] => [{ type: 'add', inputs: [] }]);

/**
 * For each class_name that a model may have: what a layer of that config does, one thing after the
 * other, without names; inputs are for whoever knows the whole model.
 */
export const kerasLayers: ReadonlyMap<string, z.ZodType<readonly Layer[]>> = new Map<
  string,
  z.ZodType<readonly Layer[]>
>([
  ['Conv2D', convolution],
  ['MaxPooling2D', pooling('maxPool2d')],
  ['AveragePooling2D', pooling('averagePool2d')],
  ['GlobalAveragePooling2D', globalPool],
  ['ZeroPadding2D', zeroPadding],
  [
    'Activation',
    z.object({ activation }).transform((of): readonly Layer[] => activationSteps(of.activation)),
  ],
  ['ReLU', relu],
  ['LeakyReLU', leakyRelu],
  ['ELU', elu],
  // The default axis of TensorFlow.js is 1: the last one, if the samples are flat.
  [
    'Softmax',
    z.object({ axis: fixed(-1, 1) }).transform((): readonly Layer[] => [{ type: 'softmax' }]),
  ],
  [
    'Flatten',
    z
      .object({ data_format: channelsLast })
      .transform((): readonly Layer[] => [{ type: 'flatten' }]),
  ],
  ['Dropout', dropout],
  ['Dense', dense],
  ['Add', add],
]);
