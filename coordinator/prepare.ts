import { availableParallelism } from 'node:os';
import type { BatchPlan } from '../src/data/batches.js';
import { byteTable } from '../src/data/normalise.js';
import { copySplit, type Dataset, sizeOfSplit } from '../src/data/dataset.js';
import { loadMnist } from '../src/data/mnist.js';
import { holdOut } from '../src/data/order.js';
import { stepsPerEpoch } from '../src/data/batches.js';
import { type ChosenEngine, chooseEngine } from '../src/engine/choose.js';
import { arithmeticOf } from '../src/engine/names.js';
import { type Compiled, compileForWasm } from '../src/engine/wasm/compile.js';
import { DtrainError } from '../src/errors.js';
import type { TrainConfig } from '../src/config/types.js';
import type { NamedRunModel } from '../src/engine/run-model.js';
import { sizeOf } from '../src/model/model.js';
import { stateSlots } from '../src/optim/optimizer.js';
import { ThreadPool } from '../src/threads/pool.js';
import { modelOf } from './run-model.js';

/** Everything a run needs before its first step. */
export interface PreparedRun {
  readonly model: NamedRunModel;
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
 * @throws DtrainError DATA_MISSING, DATA_DAMAGED, USAGE
 */
export async function prepareRun(
  config: TrainConfig,
  onNotice: (sentence: string) => void,
  signal?: AbortSignal,
): Promise<PreparedRun> {
  const { model, weights } = await modelOf(config.model, config.engine, config.seed);
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
  const { seed, batch, validation } = config;
  if (dataset.note !== undefined) onNotice(dataset.note);
  const samples = dataset.train.count - validation;
  if (samples < 1) {
    throw new DtrainError(
      'USAGE',
      `--validation ${validation} leaves nothing to train on: the training set has ${dataset.train.count} samples.`,
    );
  }
  checkFit(model, dataset);
  const plan = { samples, batch };
  const wholeRun = stepsPerEpoch(plan) * config.epochs;
  const table = byteTable();
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
    training: sizeOfSplit(dataset.train),
    trainingCount: samples,
    validationCount: validation,
    test: sizeOfSplit(dataset.test),
    table,
  });
  pool.weights.set(weights);
  copySplit(dataset.train, pool.training);
  copySplit(dataset.test, pool.test);
  pool.setLists(holdOut({ seed, samples: dataset.train.count, validation }));
  await pool.ready();
  return {
    model,
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

/** @throws DtrainError MODEL_INVALID if the model is not for such samples */
function checkFit(
  { spec, classes }: NamedRunModel,
  { name, shape, classes: needed }: Dataset,
): void {
  if (sizeOf(spec.input) === sizeOf(shape) && classes >= needed) return;
  const wanted = `${spec.input.join('x')} samples of ${classes} classes`;
  throw new DtrainError(
    'MODEL_INVALID',
    `The model ${spec.name} takes ${wanted}; ${name} has ${shape.join('x')} of ${needed}.`,
  );
}
