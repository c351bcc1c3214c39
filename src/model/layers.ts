/** [rows, columns] */
export type Pair = readonly [number, number];
export type Padding = 'same' | 'valid';

/** Where a layer stands in its model. */
interface Placing {
  /** What its weights are named after; as Keras would name it unless given. */
  readonly name?: string;
  /**
   * The layers whose outputs it takes, as places in the model's list, all before its own; `SAMPLE`
   * is the sample. Unless given: the layer before.
   */
  readonly inputs?: readonly number[];
}

/** Stands among a layer's inputs for the sample itself. */
export const SAMPLE = -1;

export interface Conv2d extends Placing {
  readonly type: 'conv2d';
  /** Output channels. */
  readonly filters: number;
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

export interface Pool2d extends Placing {
  readonly type: 'maxPool2d' | 'averagePool2d';
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

/** Activations without parameters: max(x, 0), min(max(x, 0), 6), and two that everybody knows. */
const plainActivations = ['relu', 'relu6', 'tanh', 'sigmoid'] as const;
/** x where it is positive, and below: alpha x; alpha (exp(x) - 1). */
const slopedActivations = ['leakyReLU', 'elu'] as const;

/** A monotone function of each value alone. */
export type Activation = Placing &
  (
    | { readonly type: (typeof plainActivations)[number] }
    | { readonly type: (typeof slopedActivations)[number]; readonly alpha: number }
  );

/** exp(x) over the sum of all features' exp(x), at each place of an image. */
export interface Softmax extends Placing {
  readonly type: 'softmax';
}

interface ZeroPadding2d extends Placing {
  readonly type: 'zeroPadding2d';
  /** Rows of zeros before and after the image's own, and columns. */
  readonly zeros: readonly [Pair, Pair];
}

interface Plain extends Placing {
  readonly type: 'flatten' | 'globalAveragePool2d';
}

/** While training, sets a value to 0 with probability `rate`, and divides it by 1 - rate else. */
export interface Dropout extends Placing {
  readonly type: 'dropout';
  readonly rate: number;
}

export interface Dense extends Placing {
  readonly type: 'dense';
  /** Outputs. */
  readonly units: number;
}

/** The sum of two inputs or more, of one shape. */
interface Add extends Placing {
  readonly type: 'add';
  readonly inputs: readonly number[];
}

/** One layer of a model, as it is written down; padding means what it means in TensorFlow. */
export type Layer =
  Conv2d | Pool2d | Activation | Softmax | ZeroPadding2d | Plain | Dropout | Dense | Add;

/** [rows, columns, channels] of an image, or [features]. */
export type Shape = readonly [number, number, number] | readonly [number];

/** How a sample's values are stored: bytes, of which a table gives the values, or the values. */
export const inputTypes = ['uint8', 'float32'] as const;
export type InputType = (typeof inputTypes)[number];

/**
 * What the last layer's outputs are held against, for each sample:
 *
 * - softmaxCrossEntropy: of the outputs (logits) and the class;
 * - binaryCrossEntropy: the mean over the outputs (logits) of the cross-entropy of their sigmoid and
 *   the class as a one-hot vector, or of a single output and the class itself, 0 or 1;
 * - meanSquaredError: the mean over the outputs of (output - one-hot)^2.
 *
 * The first two contain their softmax or sigmoid, so it is not written down as a layer.
 */
export const losses = ['softmaxCrossEntropy', 'binaryCrossEntropy', 'meanSquaredError'] as const;
export type LossName = (typeof losses)[number];

/** A model: layers that each take the outputs of earlier ones. The last one's are the model's. */
export interface ModelSpec {
  readonly name: string;
  /** [rows, columns, channels] of one sample. */
  readonly input: readonly [number, number, number];
  /** What the model is compiled for; bytes if it is absent. */
  readonly inputType?: InputType;
  /** softmaxCrossEntropy unless given. */
  readonly loss?: LossName;
  readonly layers: readonly Layer[];
}

const activations: readonly string[] = [...plainActivations, ...slopedActivations];

export function isActivation(layer: Layer | undefined): layer is Activation {
  return layer !== undefined && activations.includes(layer.type);
}
