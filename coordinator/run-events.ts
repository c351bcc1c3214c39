import { augmentationText } from '../src/augment/augmentation.js';
import type { CoordinatorConfig, TrainConfig } from '../src/config/types.js';
import { batchOf, stepsPerEpoch } from '../src/data/batches.js';
import type { Arithmetic } from '../src/engine/names.js';
import type { RunCost } from '../src/cost/summary.js';
import { isLayersModel } from '../src/engine/run-model.js';
import { profileKernels } from '../src/engine/profile/profile.js';
import type { ProfileEvent, ResultEvent, StartEvent } from '../src/events.js';
import { weightBytes } from '../src/model/files/floats.js';
import type { OptimizerName } from '../src/optim/optimizer.js';
import { sha256 } from '../src/sha256.js';
import { shellWord } from '../src/shell-word.js';
import { type Phases, stepPhases } from '../src/threads/phases.js';
import type { StepSums } from '../src/threads/pool.js';
import { workerUrl } from './addresses.js';
import type { PreparedRun } from './prepare.js';
import type { TrainingResult } from './training.js';

/** What a run is called, where it is kept and what it was told. */
export interface RunIdentity {
  readonly name: string;
  readonly folder: string;
  readonly config: TrainConfig | CoordinatorConfig;
  /** Approximate if any step of it is, also one before it was resumed. */
  readonly arithmetic: Arithmetic;
}

/**
 * @param resumedStep steps that were taken before, if the run is resumed
 * @param port where it listens, if it does
 */
export function startEvent(
  { name, folder, config, arithmetic }: RunIdentity,
  { model, dataset, plan, totalSteps, engine }: PreparedRun,
  resumedStep: number | undefined,
  port: number | undefined,
): StartEvent {
  const { threads, batch, seed, validation } = config;
  const augment = augmentationText(config.augment);
  const host = 'host' in config ? config.host : '';
  return {
    event: 'start',
    run: name,
    runDir: folder,
    model: model.spec.name,
    parameters: model.parameterCount,
    dataset: dataset.name,
    datasetSource: dataset.source,
    trainSamples: plan.samples,
    validationSamples: validation,
    testSamples: dataset.test.count,
    engine: engine.name,
    arithmetic,
    ...(engine.note !== undefined && { engineNote: engine.note }),
    threads,
    batch,
    epochs: Math.ceil(totalSteps / stepsPerEpoch(plan)),
    steps: totalSteps,
    seed,
    ...(augment !== 'none' && { augment }),
    ...(resumedStep !== undefined && { resumedStep }),
    ...(port !== undefined && { url: workerUrl(host, port) }),
  };
}

export function resultEvent(
  { folder, config, arithmetic }: RunIdentity,
  { pool, dataset, model, engine }: PreparedRun,
  result: TrainingResult,
  cost: RunCost,
  wallSeconds: number,
): ResultEvent {
  const { outcome, limit, test, validation, steps, samples, trainSeconds } = result;
  const command = 'port' in config ? 'coordinator' : 'train';
  return {
    event: 'result',
    outcome,
    ...(limit && { limit }),
    weightsSha256: sha256(weightBytes(model, pool.weights)),
    steps,
    samples,
    testAccuracy: test.accuracy,
    testLoss: test.loss,
    ...(validation && {
      validationAccuracy: validation.accuracy,
      validationLoss: validation.loss,
    }),
    wallSeconds,
    trainSeconds,
    samplesPerSecond: trainSeconds > 0 ? samples / trainSeconds : 0,
    engine: engine.name,
    arithmetic,
    threads: config.threads,
    workers: result.workers,
    refusedAnswers: result.refusedAnswers,
    dataset: dataset.name,
    runDir: folder,
    cost,
    ...(outcome === 'stopped' && { resume: `dtrain ${command} --resume ${shellWord(folder)}` }),
  };
}

/** A step's line in metrics.jsonl. */
export function stepMetrics(
  { step, loss, correct }: StepSums,
  plan: PreparedRun['plan'],
  lr: number,
): object {
  const { samples, epoch } = batchOf(plan, step);
  return {
    event: 'step',
    step: step + 1,
    epoch: epoch + 1,
    loss: loss / samples,
    accuracy: correct / samples,
    lr,
  };
}

/**
 * Measures the kernels anew, now that the threads rest.
 * @param trained this process's steps, and the seconds that they took
 */
export async function profileEvent(
  { model, engine }: PreparedRun,
  optimizer: OptimizerName,
  trained: { readonly steps: number; readonly seconds: number; readonly phases: Phases },
): Promise<ProfileEvent> {
  const { phases, seconds, steps } = trained;
  const taken = stepPhases(phases, seconds, Math.max(1, steps));
  const step = { ...taken, wait: Math.max(0, taken.wait) };
  // An approximate engine's kernels are a library's own.
  if (engine.approximate || isLayersModel(model)) return { event: 'profile', step, kernels: [] };
  return { event: 'profile', step, ...(await profileKernels(model, optimizer, engine)) };
}
