/** [rows, columns] */
export type Pair = readonly [number, number];
export type Padding = 'same' | 'valid';
export type ActivationName = 'relu' | 'tanh' | 'sigmoid';

export interface Conv2d {
  readonly type: 'conv2d';
  /** Output channels. */
  readonly filters: number;
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

export interface Pool2d {
  readonly type: 'maxPool2d' | 'averagePool2d';
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

export interface Activation {
  readonly type: ActivationName;
}

interface Flatten {
  readonly type: 'flatten';
}

export interface Dense {
  readonly type: 'dense';
  /** Outputs. */
  readonly units: number;
}

/** One layer of a model, as it is written down; padding means what it means in TensorFlow. */
export type Layer = Conv2d | Pool2d | Activation | Flatten | Dense;

/** [rows, columns, channels] of an image, or [features]. */
export type Shape = readonly [number, number, number] | readonly [number];

/**
 * A model: a chain of layers. The loss is softmax cross-entropy over the last layer's outputs
 * (logits), so no softmax is written down.
 */
export interface ModelSpec {
  readonly name: string;
  /** [rows, columns, channels] of one sample. */
  readonly input: readonly [number, number, number];
  readonly layers: readonly Layer[];
}
