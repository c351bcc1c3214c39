import { z } from 'zod';
import { DtrainError } from '../../errors.js';
import { DEPTH, fromKeras } from './keras.js';

/** A model.json's `modelTopology`, checked: nothing in it but what TensorFlow.js builds models from. */
export type Topology = Readonly<Record<string, unknown>>;

const limits = {
  /** Values in the JSON, and how deep they lie. */
  values: 200_000,
  depth: DEPTH,
  text: 1_000,
  layers: 2_000,
  /** Of any number: of units, filters, window cells, image rows. */
  number: 1e9,
} as const;

/** The layers of TensorFlow.js 4.22 that compute with numbers and can be trained through. */
const layerClasses = [
  'InputLayer',
  'Dense',
  'Activation',
  'ReLU',
  'LeakyReLU',
  'PReLU',
  'ELU',
  'Softmax',
  'Dropout',
  'SpatialDropout1D',
  'GaussianNoise',
  'GaussianDropout',
  'AlphaDropout',
  'Flatten',
  'Reshape',
  'Permute',
  'RepeatVector',
  'Embedding',
  'Conv1D',
  'Conv2D',
  'Conv2DTranspose',
  'DepthwiseConv2D',
  'SeparableConv2D',
  'Cropping2D',
  'UpSampling2D',
  'ZeroPadding2D',
  'MaxPooling1D',
  'MaxPooling2D',
  'AveragePooling1D',
  'AveragePooling2D',
  'GlobalMaxPooling1D',
  'GlobalMaxPooling2D',
  'GlobalAveragePooling1D',
  'GlobalAveragePooling2D',
  'BatchNormalization',
  'LayerNormalization',
  'Add',
  'Multiply',
  'Average',
  'Maximum',
  'Minimum',
  'Concatenate',
  'Dot',
  'SimpleRNN',
  'GRU',
  'LSTM',
  'RNN',
  'SimpleRNNCell',
  'GRUCell',
  'LSTMCell',
  'StackedRNNCells',
  'Bidirectional',
  'TimeDistributed',
  'Rescaling',
] as const;

/** Models, and what layers are configured with. */
const otherClasses = [
  'Sequential',
  'Model',
  'Functional',
  'Zeros',
  'Ones',
  'Constant',
  'RandomUniform',
  'RandomNormal',
  'TruncatedNormal',
  'VarianceScaling',
  'GlorotUniform',
  'GlorotNormal',
  'HeUniform',
  'HeNormal',
  'LeCunUniform',
  'LeCunNormal',
  'Identity',
  'Orthogonal',
  'L1L2',
  'L1',
  'L2',
] as const;

/** Settings that TensorFlow.js does not look at, and what it computes all the same. */
const unheeded = new Map<string, number | boolean>([
  ['groups', 1],
  ['keepdims', false],
  ['negative_slope', 0],
  ['threshold', 0],
]);

const known: ReadonlySet<string> = new Set([...layerClasses, ...otherClasses]);

const model = z.object({
  class_name: z.enum(['Sequential', 'Model', 'Functional']),
  config: z.union([
    z.array(z.unknown()).min(1),
    z.object({ layers: z.array(z.unknown()).min(1).max(limits.layers) }),
  ]),
});

/**
 * Checks a `modelTopology` that comes from a file or from the network and is not trusted. Whether
 * its layers fit together is for TensorFlow.js to say.
 * @throws DtrainError MODEL_INVALID, naming the class, for what dtrain does not train
 */
export function parseTopology(value: unknown): Topology {
  const wrapped = z.object({ model_config: z.unknown() }).safeParse(value).data?.model_config;
  const topology = fromKeras(wrapped ?? value);
  if (!model.safeParse(topology).success) {
    throw invalid('it is no Sequential or functional model');
  }
  new Inspection().visit(topology, 0);
  return topology as Topology;
}

/** Looks at every value of a topology. */
class Inspection {
  #values = 0;

  visit(value: unknown, depth: number): void {
    this.#values += 1;
    if (this.#values > limits.values || depth > limits.depth) throw invalid('it is too large');
    if (typeof value === 'string') {
      if (value.length > limits.text) throw invalid('it has a text that is too long');
    } else if (typeof value === 'number') {
      if (!(Math.abs(value) <= limits.number)) throw invalid('it has a number that is too large');
    } else if (Array.isArray(value)) {
      for (const item of value) this.visit(item, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      this.#object(value as Record<string, unknown>, depth);
    }
  }

  #object(object: Record<string, unknown>, depth: number): void {
    const name = object.class_name;
    if (name !== undefined && (typeof name !== 'string' || !known.has(name))) {
      throw invalid(`TensorFlow.js cannot train ${printable(name)}`);
    }
    for (const [key, value] of Object.entries(object)) {
      if (key.endsWith('_constraint') && value !== null) {
        throw invalid(`${printable(key)} is set, and dtrain's optimizers know no constraints`);
      }
      const needed = unheeded.get(key);
      if (needed !== undefined && value !== null && value !== needed) {
        throw invalid(`TensorFlow.js does not know ${printable(key)}, which must be ${needed}`);
      }
      this.visit(value, depth + 1);
    }
  }
}

function printable(value: unknown): string {
  return JSON.stringify(value)
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 60);
}

function invalid(problem: string): DtrainError {
  return new DtrainError('MODEL_INVALID', `The model's topology: ${problem}.`);
}
