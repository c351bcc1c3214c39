import { availableParallelism } from 'node:os';
import { augmentationOf } from '../src/augment/augmentation.js';
import { sha256 } from '../src/sha256.js';
import { copySplit, NO_SAMPLES, sampleBytesOf, sizeOfSplit } from '../src/data/dataset.js';
import { tablesOf } from '../src/data/normalise.js';
import { holdOut } from '../src/data/order.js';
import type { BatchPlan } from '../src/data/batches.js';
import { pieceSizeOf } from '../src/engine/program.js';
import { compileModule } from '../src/engine/wasm/instance.js';
import type { WorkerConfig } from '../src/config/types.js';
import { type ChosenEngine, chooseEngine } from '../src/engine/choose.js';
import { DtrainError } from '../src/errors.js';
import { parseRunModel } from '../src/engine/run-model.js';
import type { Welcome } from '../src/protocol/protocol.js';
import { ThreadPool } from '../src/threads/pool.js';
import { loadShards, type ShardSource } from './shards.js';

/** A worker's threads with a run's data and model. */
export interface WorkerEngine {
  readonly pool: ThreadPool;
  readonly plan: BatchPlan;
  readonly parameterCount: number;
  readonly engine: ChosenEngine;
}

/**
 * Checks what the coordinator sent, gets the data and starts the threads.
 * @throws DtrainError PROTOCOL, MODEL_INVALID, COORDINATOR_GONE
 */
export async function startEngine(
  welcome: Welcome,
  moduleBytes: Uint8Array,
  { engine, threads }: Pick<WorkerConfig, 'engine' | 'threads'>,
  source: ShardSource,
): Promise<WorkerEngine> {
  if (sha256(moduleBytes) !== welcome.module.sha256) {
    throw new DtrainError('PROTOCOL', 'The compiled model came damaged.');
  }
  const model = parseRunModel(welcome.model);
  const { arithmetic } = welcome;
  const module = await compileModule(Uint8Array.from(moduleBytes), arithmetic);
  const { workSize } = welcome.module;
  const wasm = { module, workSize };
  const chosen = await chooseEngine(engine, model, welcome.optimizer, wasm, threads, arithmetic);
  const { seed, batch, validation, augment } = welcome;
  const { input, inputType = 'uint8' } = model.spec;
  if (welcome.data.table.length !== (inputType === 'uint8' ? 256 * tablesOf(input[2]) : 0)) {
    throw new DtrainError('PROTOCOL', "The data's table of values has the wrong size.");
  }
  const split = await loadShards(source, welcome.data.shards, sampleBytesOf(input, inputType));
  if (validation >= split.count) {
    throw new DtrainError('PROTOCOL', 'The validation split leaves nothing to train on.');
  }
  if (split.labels.some((label) => label >= model.classes)) {
    throw new DtrainError('PROTOCOL', 'The data has a label that the model has no class for.');
  }
  const training = sizeOfSplit(split);
  const samples = split.count - validation;
  const pool = new ThreadPool({
    threads,
    cores: availableParallelism(),
    module,
    program: { pieceSize: pieceSizeOf(model.parameterCount), workSize },
    engine: chosen,
    parameterCount: model.parameterCount,
    stateSlots: 0,
    seed,
    batch,
    training,
    trainingCount: samples,
    validationCount: 0,
    test: NO_SAMPLES,
    table: Float32Array.from(welcome.data.table),
    augmentation: augmentationOf(augment, model.spec.input, training.sampleBytes),
  });
  try {
    copySplit(split, pool.training);
    const lists = holdOut({ seed, samples: split.count, validation });
    pool.setLists({ ...lists, validation: new Uint32Array() });
    await pool.ready();
  } catch (error) {
    await pool.close();
    throw error;
  }
  const plan = { samples, batch };
  return { pool, plan, parameterCount: model.parameterCount, engine: chosen };
}
