import { availableParallelism } from 'node:os';
import { augmentationOf } from '../src/augment/augmentation.js';
import type { BatchPlan } from '../src/data/batches.js';
import { byteTable } from '../src/data/normalise.js';
import { copySplit, type Dataset, sizeOfSplit } from '../src/data/dataset.js';
import { checkFits } from '../src/data/fits.js';
import { loadMnist } from '../src/data/mnist.js';
import { holdOut } from '../src/data/order.js';
import { stepsPerEpoch } from '../src/data/batches.js';
import { type ChosenEngine, chooseEngine } from '../src/engine/choose.js';
import { arithmeticOf } from '../src/engine/names.js';
import { type Compiled, compileForWasm } from '../src/engine/wasm/compile.js';
import { DtrainError } from '../src/errors.js';
import type { TrainConfig } from '../src/config/types.js';
import type { NamedRunModel } from '../src/engine/run-model.js';
import { stateSlots } from '../src/optim/optimizer.js';
import { ThreadPool } from '../src/threads/pool.js';
import { modelToTrain } from './run-model.js';

/** Everything a run needs before its first step. */
export interface PreparedRun {
  readonly model: NamedRunModel;
  /** Of the model as it was found, with the weights that it brought. */
  readonly modelSha256: string;
  readonly dataset: Dataset;
  readonly compiled: Compiled;
  readonly engine: ChosenEngine;
  readonly table: Float32Array;
  readonly plan: BatchPlan;
  readonly totalSteps: number;
  readonly pool: ThreadPool;
}

/**
 * Loads the data, compiles the model and starts the threads, with the run's first weights.
 * @throws DtrainError DATA_MISSING, DATA_DAMAGED, MODEL_FILE, USAGE
 */
export async function prepareRun(
  config: TrainConfig,
  onNotice: (sentence: string) => void,
  signal?: AbortSignal,
): Promise<PreparedRun> {
  const { seed, batch, validation } = config;
  const {
    model,
    weights,
    sha256: modelSha256,
  } = await modelToTrain(config.model, config.engine, seed);
  // Without threads of its own the coordinator still evaluates, on one.
  const threads = Math.max(1, config.threads);
  const compiling = compileForWasm(model, config.optimizer, arithmeticOf(config.engine));
  const [dataset, compiled, engine] = await Promise.all([
    loadMnist({
      ...(config.dataDir !== null && { dataDir: config.dataDir }),
      onNotice,
      ...(signal && { signal }),
    }),
    compiling,
    compiling.then(({ module, program: { workSize } }) =>
      chooseEngine(config.engine, model, config.optimizer, { module, workSize }, threads),
    ),
  ]);
  checkFits(config.model, model, dataset);
  if (dataset.note !== undefined) onNotice(dataset.note);
  const samples = dataset.train.count - validation;
  if (samples < 1) {
    throw new DtrainError(
      'USAGE',
      `--validation ${validation} leaves nothing to train on: the training set has ${dataset.train.count} samples.`,
    );
  }
  const plan = { samples, batch };
  const wholeRun = stepsPerEpoch(plan) * config.epochs;
  const table = byteTable();
  const training = sizeOfSplit(dataset.train);
  const pool = new ThreadPool({
    threads,
    cores: availableParallelism(),
    module: compiled.module,
    program: compiled.program,
    engine,
    parameterCount: model.parameterCount,
    stateSlots: stateSlots[config.optimizer],
    seed,
    batch,
    training,
    trainingCount: samples,
    validationCount: validation,
    test: sizeOfSplit(dataset.test),
    table,
    augmentation: augmentationOf(config.augment, model.spec.input, training.sampleBytes),
  });
  pool.weights.set(weights);
  copySplit(dataset.train, pool.training);
  copySplit(dataset.test, pool.test);
  pool.setLists(holdOut({ seed, samples: dataset.train.count, validation }));
  await pool.ready();
  return {
    model,
    modelSha256,
    // The threads' copy of the samples is the only one that is kept.
    dataset: { ...dataset, train: pool.training, test: pool.test },
    compiled,
    engine,
    table,
    plan,
    totalSteps: Math.min(wholeRun, config.steps ?? wholeRun),
    pool,
  };
}
