import { availableParallelism } from 'node:os';
import type { InspectionConfig } from '../src/config/types.js';
import { copySplit, NO_SAMPLES, sizeOfSplit } from '../src/data/dataset.js';
import { checkFits } from '../src/data/fits.js';
import { loadMnist } from '../src/data/mnist.js';
import { byteTable } from '../src/data/normalise.js';
import { type ChosenEngine, chooseEngine } from '../src/engine/choose.js';
import { arithmeticOf } from '../src/engine/names.js';
import { compileForWasm } from '../src/engine/wasm/compile.js';
import type { Evaluation } from '../src/threads/evaluation.js';
import { ThreadPool } from '../src/threads/pool.js';
import { trainedModel } from './run-model.js';

/** What `dtrain eval` tells. */
export interface EvaluatedModel {
  readonly evaluation: Evaluation;
  readonly dataset: string;
  readonly model: string;
  readonly engine: ChosenEngine;
}

/**
 * Evaluates the model in a file, or in a run's folder, over the test set.
 * @throws DtrainError MODEL_FILE, MODEL_INVALID, DATA_MISSING, DATA_DAMAGED
 */
export async function evaluateModel(
  place: string,
  config: InspectionConfig,
  { onNotice, signal }: { onNotice: (sentence: string) => void; signal: AbortSignal },
): Promise<EvaluatedModel> {
  const { model, weights, file } = await trainedModel(place, config.engine);
  const dataset = await loadMnist({ dataDir: config.dataDir ?? undefined, onNotice, signal });
  checkFits(file, model, dataset);
  const { test } = dataset;
  const optimizer = 'sgd';
  const { module, program } = await compileForWasm(model, optimizer, arithmeticOf(config.engine));
  const wasm = { module, workSize: program.workSize };
  const engine = await chooseEngine(config.engine, model, optimizer, wasm, config.threads);
  const pool = new ThreadPool({
    threads: config.threads,
    cores: availableParallelism(),
    module,
    program,
    engine,
    parameterCount: model.parameterCount,
    stateSlots: 0,
    seed: 0,
    batch: 1,
    training: NO_SAMPLES,
    trainingCount: 0,
    validationCount: 0,
    test: sizeOfSplit(test),
    table: byteTable(),
  });
  try {
    await pool.ready();
    copySplit(test, pool.test);
    pool.weights.set(weights);
    const evaluation = await pool.evaluate('test');
    return { evaluation, dataset: dataset.name, model: model.spec.name, engine };
  } finally {
    await pool.close();
  }
}
