import { onTestFinished } from 'vitest';
import { type PoolOptions, ThreadPool } from '../../dist/src/threads/pool.js';
import type { ImageAugmentation } from '../../src/augment/augmentation.js';
import { copySplit, sizeOfSplit, type MemorySplit } from '../../src/data/dataset.js';
import { holdOut, type HoldOut } from '../../src/data/order.js';
import { type Compiled, compileForWasm } from '../../src/engine/wasm/compile.js';
import { initialWeights } from '../../src/model/initial-weights.js';
import { buildModel, sizeOf } from '../../src/model/model.js';
import { stateSlots, stepHyperparameters } from '../../src/optim/optimizer.js';
import { randomNumbers } from '../reference/random.js';

const OPTIMIZER = 'momentum';

/** Small enough that a step takes some microseconds. */
export const model = buildModel({
  name: 'small',
  input: [6, 6, 1],
  layers: [
    { type: 'conv2d', filters: 2, kernel: [3, 3], strides: [1, 1], padding: 'same' },
    { type: 'relu' },
    { type: 'maxPool2d', size: [2, 2], strides: [2, 2], padding: 'valid' },
    { type: 'flatten' },
    { type: 'dense', units: 4 },
  ],
});

/** A run on random samples: how many, in which batches. */
export interface Problem {
  readonly seed: number;
  readonly batch: number;
  readonly compiled: Compiled;
  readonly training: MemorySplit;
  readonly lists: HoldOut;
  readonly test: MemorySplit;
  readonly table: Float32Array;
  readonly augmentation?: ImageAugmentation;
}

interface Size {
  readonly samples?: number;
  readonly batch?: number;
  readonly validation?: number;
  readonly tests?: number;
}

export async function problemOf({
  samples = 45,
  batch = 16,
  validation = 0,
  tests = 0,
}: Size): Promise<Problem> {
  const next = randomNumbers(samples + batch);
  const split = (count: number): MemorySplit => ({
    count,
    images: Uint8Array.from({ length: count * sizeOf(model.spec.input) }, () => 256 * next()),
    labels: Uint8Array.from({ length: count }, () => model.classes * next()),
  });
  const seed = 11;
  return {
    seed,
    batch,
    compiled: await compileForWasm(model, OPTIMIZER),
    training: split(samples),
    lists: holdOut({ seed, samples, validation }),
    test: split(tests),
    table: Float32Array.from({ length: 256 }, () => 2 * next() - 1),
  };
}

export function hyperOf({ batch }: Problem, step: number, samples = batch): Float32Array {
  return stepHyperparameters({ momentum: 0.9, weightDecay: 0.01 }, 0.05, samples, step);
}

/** A pool for the running test, with the first weights of the problem. */
export function poolFor(
  problem: Problem,
  threads: number,
  other: Partial<PoolOptions> = {},
): ThreadPool {
  const { seed, batch, compiled, training, lists, test, table, augmentation } = problem;
  const pool = new ThreadPool({
    threads,
    cores: 2,
    module: compiled.module,
    program: compiled.program,
    parameterCount: model.parameterCount,
    stateSlots: stateSlots[OPTIMIZER],
    seed,
    batch,
    training: sizeOfSplit(training),
    trainingCount: lists.training.length,
    validationCount: lists.validation.length,
    test: sizeOfSplit(test),
    table,
    augmentation,
    ...other,
  });
  onTestFinished(() => pool.close());
  copySplit(training, pool.training);
  copySplit(test, pool.test);
  pool.setLists(lists);
  pool.weights.set(initialWeights(model, seed));
  return pool;
}
