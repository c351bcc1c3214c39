import { availableParallelism } from 'node:os';
import { augmentationOf } from '../src/augment/augmentation.js';
import type { BatchPlan } from '../src/data/batches.js';
import { loadData } from '../src/data/load.js';
import { copySplit, type Dataset, sizeOfSplit, tableOf } from '../src/data/dataset.js';
import { checkFits } from '../src/data/fits.js';
import { imageSizeOf } from '../src/data/images/decode.js';
import { holdOut } from '../src/data/order.js';
import { stepsPerEpoch } from '../src/data/batches.js';
import { type ChosenEngine, chooseEngine } from '../src/engine/choose.js';
import { arithmeticOf } from '../src/engine/names.js';
import { findTfjsNode } from '../src/engine/tfjs-node/find.js';
import { type Compiled, compileForWasm } from '../src/engine/wasm/compile.js';
import { DtrainError } from '../src/errors.js';
import type { TrainConfig } from '../src/config/types.js';
import type { NamedRunModel } from '../src/engine/run-model.js';
import { stateSlots } from '../src/optim/optimizer.js';
import { ThreadPool } from '../src/threads/pool.js';
import { modelToTrain, startingModel } from './run-model.js';

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
 * @throws DtrainError DATA_MISSING, DATA_DAMAGED, ENGINE_MISSING, MODEL_FILE, USAGE
 */
export async function prepareRun(
  config: TrainConfig,
  onNotice: (sentence: string) => void,
  signal?: AbortSignal,
): Promise<PreparedRun> {
  const { seed, batch, validation, optimizer } = config;
  // Before data is fetched for nothing.
  if (config.engine === 'tfjs-node') findTfjsNode();
  const found = await modelToTrain(config.model, config.engine, seed);
  const builtIn = 'builtIn' in found && found.builtIn;
  const dataset = await loadData({
    ...config,
    imageSize: config.imageSize ?? (builtIn ? null : imageSizeOf(found.model.spec.input)),
    holdOut: true,
    onNotice,
    signal,
  });
  const { model, weights } = startingModel(found, dataset, seed);
  checkFits(config.model, model, dataset);
  const compiled = await compileForWasm(model, optimizer, arithmeticOf(config.engine));
  const { module, program } = compiled;
  const wasm = { module, workSize: program.workSize };
  // Without threads of its own the coordinator still evaluates, on one.
  const threads = Math.max(1, config.threads);
  const engine = await chooseEngine(config.engine, model, optimizer, wasm, threads);
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
  const table = tableOf(dataset);
  const training = sizeOfSplit(dataset.train);
  const pool = new ThreadPool({
    threads,
    cores: availableParallelism(),
    module,
    program,
    engine,
    parameterCount: model.parameterCount,
    stateSlots: stateSlots[optimizer],
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
    modelSha256: found.sha256,
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
