import { NO_AUGMENTATION } from '../../../src/augment/augmentation.js';
import { cutShards } from '../../../src/data/shards.js';
import { byteTable, MNIST_NORMALISATION } from '../../../src/data/normalise.js';
import { compileForWasm } from '../../../src/engine/wasm/compile.js';
import { initialWeights } from '../../../src/model/initial-weights.js';
import type { ModelSpec } from '../../../src/model/layers.js';
import { buildModel } from '../../../src/model/model.js';
import { contentOf } from '../../data/helpers.js';
import type { Welcome } from '../../../src/protocol/protocol.js';

/** What a coordinator tells its workers about a run, of a model that computes in no time. */
export interface TinyRun {
  readonly welcome: Welcome;
  /** The payload of `welcome`. */
  readonly module: Uint8Array;
  readonly weights: Uint8Array;
  readonly parameters: number;
  /** The training data's only shard. */
  readonly shard: Uint8Array;
}

const SPEC: ModelSpec = {
  name: 'tiny',
  input: [4, 4, 1],
  layers: [{ type: 'flatten' }, { type: 'dense', units: 10 }],
};

/** A run of one batch of so many samples, which are noise. */
export async function tinyRun(batch: number): Promise<TinyRun> {
  const model = buildModel(SPEC);
  const { bytes, sha256, program } = await compileForWasm(model, 'sgd');
  const images = Uint8Array.from({ length: batch * 16 }, (_, index) => (index * 7919) % 251);
  const labels = Uint8Array.from({ length: batch }, (_, index) => index % 10);
  const [shard] = cutShards({ count: batch, images, labels });
  if (!shard) throw new Error('There is no shard.');
  const weights = initialWeights(model, 1);
  return {
    welcome: {
      type: 'welcome',
      run: 'tiny',
      arithmetic: 'exact',
      model: SPEC,
      optimizer: 'sgd',
      seed: 1,
      batch,
      validation: 0,
      augment: NO_AUGMENTATION,
      module: { sha256, workSize: program.workSize },
      data: {
        table: Array.from(byteTable(MNIST_NORMALISATION)),
        shards: [{ sha256: shard.sha256, count: shard.count }],
      },
    },
    module: bytes,
    weights: new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength),
    parameters: model.parameterCount,
    shard: contentOf(shard),
  };
}
