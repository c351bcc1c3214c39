import path from 'node:path';
import type { CoordinatorConfig, TrainConfig } from '../src/config/types.js';
import { batchOf, stepsPerEpoch } from '../src/data/batches.js';
import type { Progress, ResultEvent, RunEvent, StartEvent } from '../src/events.js';
import { learningRate } from '../src/optim/schedule.js';
import { stepHyperparameters } from '../src/optim/optimizer.js';
import { RunFolder } from '../src/report/run-folder.js';
import type { StepSums } from '../src/threads/pool.js';
import { weightBytes } from '../src/model/files/floats.js';
import { sha256 } from '../src/sha256.js';
import { reachableHosts, workerUrl } from './addresses.js';
import { Fleet } from './fleet.js';
import { type PreparedRun, prepareRun } from './prepare.js';
import { Training, type TrainingResult } from './training.js';

/** Where a run reports to. */
export interface RunListeners {
  readonly onEvent?: (event: RunEvent) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** One sentence for people. */
  readonly onNotice?: (sentence: string) => void;
  /** The run listens: where, and with which token. */
  readonly onListening?: (urls: readonly string[], token: string | null) => void;
  /** Ends the run after the current step; the model is saved. */
  readonly signal?: AbortSignal;
}

/** Steps between two lines of metrics.jsonl. */
const METRIC_STEPS = 10;
const ENGINE = 'wasm';

/** One run from its configuration to its folder. */
class Run {
  readonly #config: TrainConfig | CoordinatorConfig;
  readonly #listeners: RunListeners;
  readonly #name: string;
  readonly #folder: RunFolder;
  readonly #started = performance.now();
  #began = false;

  constructor(
    config: TrainConfig | CoordinatorConfig,
    listeners: RunListeners,
    name: string,
    folder: RunFolder,
  ) {
    this.#config = config;
    this.#listeners = listeners;
    this.#name = name;
    this.#folder = folder;
  }

  /** The run has got as far as its first event. */
  get began(): boolean {
    return this.#began;
  }

  async execute(prepared: PreparedRun): Promise<ResultEvent> {
    const { signal } = this.#listeners;
    const training = this.#training(prepared);
    const stop = (): void => {
      training.stop();
    };
    const fleet = await this.#listen(prepared, training);
    let ending: 'complete' | 'stopped' | 'failed' = 'failed';
    try {
      this.#began = true;
      this.#emit(this.#start(prepared, fleet?.port));
      signal?.addEventListener('abort', stop);
      if (signal?.aborted) stop();
      const result = await training.run();
      ending = result.outcome;
      await this.#folder.saveModel(prepared.model, prepared.pool.weights);
      const event = this.#result(prepared, result);
      await this.#folder.saveSummary({ ...event, confusion: result.test.confusion });
      this.#emit(event);
      return event;
    } finally {
      signal?.removeEventListener('abort', stop);
      await fleet?.close(ending);
    }
  }

  #emit(event: RunEvent): void {
    this.#listeners.onEvent?.(event);
  }

  async #listen(prepared: PreparedRun, training: Training): Promise<Fleet | undefined> {
    const config = this.#config;
    if (!('port' in config)) return undefined;
    const fleet = await Fleet.listen({
      config,
      run: this.#name,
      prepared,
      training,
      onEvent: (event) => {
        this.#emit(event);
      },
      onNotice: (sentence) => this.#listeners.onNotice?.(sentence),
    });
    const urls = reachableHosts(config.host).map((host) => workerUrl(host, fleet.port));
    this.#listeners.onListening?.(urls, fleet.token);
    return fleet;
  }

  #training({ pool, plan, totalSteps }: PreparedRun): Training {
    const config = this.#config;
    const rate = (step: number): number => learningRate(config, step, totalSteps);
    const { onProgress, onNotice } = this.#listeners;
    return new Training({
      pool,
      plan,
      totalSteps,
      localThreads: config.threads > 0,
      startWith: 'workers' in config ? config.workers : 0,
      validation: config.validation > 0,
      hyper: (step) => stepHyperparameters(config, rate(step), batchOf(plan, step).samples, step),
      onEpoch: (event) => {
        this.#folder.metric(event);
        this.#emit(event);
      },
      onSteps: (steps, progress) => {
        this.#recordSteps(steps, plan, rate);
        onProgress?.(progress);
      },
      onWait: (workers, started) => {
        const wanted = 'workers' in config ? Math.max(1, config.workers) : 1;
        onNotice?.(
          started
            ? 'Nobody is left to compute; the run goes on when a worker joins.'
            : `Waiting for workers: ${workers} of ${wanted} are here.`,
        );
      },
    });
  }

  #recordSteps(
    steps: readonly StepSums[],
    plan: PreparedRun['plan'],
    rate: (step: number) => number,
  ): void {
    for (const { step, loss, correct } of steps) {
      if (step % METRIC_STEPS !== 0) continue;
      const { samples, epoch } = batchOf(plan, step);
      this.#folder.metric({
        event: 'step',
        step: step + 1,
        epoch: epoch + 1,
        loss: loss / samples,
        accuracy: correct / samples,
        lr: rate(step),
      });
    }
  }

  #start({ model, dataset, plan, totalSteps }: PreparedRun, port: number | undefined): StartEvent {
    const { threads, batch, seed, validation } = this.#config;
    const host = 'host' in this.#config ? this.#config.host : '';
    return {
      event: 'start',
      run: this.#name,
      runDir: this.#folder.path,
      model: model.spec.name,
      parameters: model.parameterCount,
      dataset: dataset.name,
      datasetSource: dataset.source,
      trainSamples: plan.samples,
      validationSamples: validation,
      testSamples: dataset.test.count,
      engine: ENGINE,
      threads,
      batch,
      epochs: Math.ceil(totalSteps / stepsPerEpoch(plan)),
      steps: totalSteps,
      seed,
      ...(port !== undefined && { url: workerUrl(host, port) }),
    };
  }

  #result({ pool, dataset, model }: PreparedRun, result: TrainingResult): ResultEvent {
    const { test, validation, steps, samples, trainSeconds } = result;
    return {
      event: 'result',
      outcome: result.outcome,
      weightsSha256: sha256(weightBytes(model, pool.weights)),
      steps,
      samples,
      testAccuracy: test.accuracy,
      testLoss: test.loss,
      ...(validation && {
        validationAccuracy: validation.accuracy,
        validationLoss: validation.loss,
      }),
      wallSeconds: (performance.now() - this.#started) / 1000,
      trainSeconds,
      samplesPerSecond: trainSeconds > 0 ? samples / trainSeconds : 0,
      engine: ENGINE,
      threads: this.#config.threads,
      workers: result.workers,
      dataset: dataset.name,
      runDir: this.#folder.path,
    };
  }
}

/**
 * Trains a model on this machine's threads, and on whatever workers join if the configuration says
 * where to listen. Returns the last event.
 * @throws DtrainError for anything that a user can cause
 */
export async function trainRun(
  config: TrainConfig | CoordinatorConfig,
  listeners: RunListeners = {},
): Promise<ResultEvent> {
  const folder =
    config.out === null && config.name === null
      ? await RunFolder.createNew('runs', runName(config.model), savedConfig(config))
      : await RunFolder.create(
          config.out ?? path.join('runs', config.name ?? ''),
          savedConfig(config),
        );
  const basename = path
    .basename(folder.path)
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 64);
  const run = new Run(config, listeners, config.name ?? basename, folder);
  let prepared: PreparedRun | undefined;
  try {
    prepared = await prepareRun(config, listeners.onNotice ?? (() => undefined), listeners.signal);
    return await run.execute(prepared);
  } catch (error) {
    if (!run.began) await folder.discard();
    throw error;
  } finally {
    await prepared?.pool.close();
    folder.close();
  }
}

/**
 * What config.json keeps: what a run can be repeated with. Where it wrote to and how it reported are
 * that run's own, and a secret has no place in a folder that people pass on.
 */
function savedConfig(config: TrainConfig | CoordinatorConfig): object {
  const own = { out: undefined, name: undefined, token: undefined };
  return { ...config, ...own, json: undefined, quiet: undefined, verbose: undefined };
}

/** `lenet5-20261231-235959`: the model and the local time. */
function runName(model: string): string {
  const now = new Date();
  const digits = (...values: number[]): string =>
    values.map((value) => String(value).padStart(2, '0')).join('');
  const date = digits(now.getFullYear(), now.getMonth() + 1, now.getDate());
  return `${model}-${date}-${digits(now.getHours(), now.getMinutes(), now.getSeconds())}`;
}
