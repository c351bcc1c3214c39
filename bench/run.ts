import { newToken, reachableHosts, workerUrl } from '../coordinator/addresses.js';
import { Fleet } from '../coordinator/fleet.js';
import { type PreparedRun, prepareRun } from '../coordinator/prepare.js';
import { NOTHING_DONE, type RunProgress } from '../coordinator/tally.js';
import { Training, type TrainingResult } from '../coordinator/training.js';
import type { BenchConfig } from '../src/config/bench-options.js';
import type { CoordinatorConfig } from '../src/config/types.js';
import { batchOf } from '../src/data/batches.js';
import { Pricing } from '../src/cost/pricing.js';
import { DtrainError } from '../src/errors.js';
import { weightBytes } from '../src/model/files/floats.js';
import { stepHyperparameters } from '../src/optim/optimizer.js';
import { learningRate } from '../src/optim/schedule.js';
import { sha256 } from '../src/sha256.js';
import type { Phases } from '../src/threads/phases.js';
import { runConfig } from './run-config.js';
import type { Configuration } from './plan.js';
import { WorkerProcesses } from './worker-processes.js';

export interface RunListeners {
  /** One sentence for people. */
  readonly onNotice: (sentence: string) => void;
  readonly signal: AbortSignal;
  /** Workers of other machines can join: where, and with which token. */
  readonly onListening: (urls: readonly string[], token: string | null) => void;
}

/** What is run, and what becomes of workers that have joined it from other machines. */
export interface RunPlan {
  readonly configuration: Configuration;
  /** Whether they are to come back for another run. */
  readonly comeBack: boolean;
}

/** How far a run is. */
export interface Mark {
  readonly samples: number;
  readonly seconds: number;
  readonly phases: Phases;
  readonly sent: number;
  readonly received: number;
}

/** Gives `use` a run, and clears up after it. @throws the signal's reason if that is aborted */
export async function withRun<T>(
  config: BenchConfig,
  { configuration, comeBack }: RunPlan,
  listeners: RunListeners,
  use: (run: BenchRun) => Promise<T>,
): Promise<T> {
  const { onNotice, signal } = listeners;
  const joined = configuration.kind === 'joined';
  const token = joined ? config.token : newToken();
  const here = runConfig(config, configuration, token);
  const settings = joined ? { ...here, host: config.host, port: config.port } : here;
  const prepared = await prepareRun(settings, onNotice, signal);
  try {
    const run = new BenchRun(settings, prepared);
    try {
      await run.open(listeners, !joined);
      return await run.stoppedBy(signal, () => use(run));
    } finally {
      await run.close(comeBack ? 'stopped' : 'complete');
    }
  } finally {
    await prepared.pool.close();
  }
}

/** One training of a benchmark: no folder, no checkpoints, worker processes if it wants them. */
class BenchRun {
  onSave: (step: number, progress: RunProgress) => void = () => undefined;
  readonly #config: CoordinatorConfig;
  readonly #prepared: PreparedRun;
  readonly #training: Training;
  #fleet: Fleet | undefined;
  #workers: WorkerProcesses | undefined;
  readonly #spares = new Set<string>();
  #mostSpares = 0;
  #onSteps: () => void = () => undefined;
  #onWait: (workers: number) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #complete = false;

  constructor(config: CoordinatorConfig, prepared: PreparedRun) {
    const { pool, plan, totalSteps } = prepared;
    if (plan.batch > plan.samples) {
      const sentence = `A batch of ${plan.batch} samples is more than the ${plan.samples} of the training set: choose a smaller --batch, or fewer --workers.`;
      throw new DtrainError('USAGE', sentence);
    }
    this.#config = config;
    this.#prepared = prepared;
    this.#training = new Training({
      pool,
      plan,
      totalSteps,
      firstStep: 0,
      before: NOTHING_DONE,
      // Local threads take many steps at a time, but none across a save.
      saveEvery: config.checkpointEvery,
      onLimit: () => undefined,
      onSave: (step, progress) => {
        this.onSave(step, progress);
      },
      localThreads: config.threads > 0,
      pricing: Pricing.none(),
      paid: undefined,
      startWith: config.workers,
      validation: false,
      hyper: (step) => {
        const rate = learningRate(config, step, totalSteps);
        return stepHyperparameters(config, rate, batchOf(plan, step).samples, step);
      },
      onEpoch: () => undefined,
      onSteps: () => {
        this.#onSteps();
      },
      onWait: (workers) => {
        this.#onWait(workers);
      },
    });
  }

  /**
   * Listens, if workers are to join.
   * @param own whether these are processes of the benchmark's own, which it starts
   */
  async open({ onListening, onNotice }: RunListeners, own: boolean): Promise<void> {
    const { host, workers, token } = this.#config;
    if (workers === 0) return;
    const fleet = await Fleet.listen({
      config: this.#config,
      token,
      run: 'bench',
      prepared: this.#prepared,
      training: this.#training,
      pricing: Pricing.none(),
      onEvent: ({ action, name }) => {
        if (action === 'spare') this.#spares.add(name);
        else this.#spares.delete(name);
        this.#mostSpares = Math.max(this.#mostSpares, this.#spares.size);
      },
      onRefused: (reason) => {
        if (!own) onNotice(`A worker was refused: ${reason}.`);
      },
    });
    this.#fleet = fleet;
    if (!own) {
      this.#onWait = (here) => {
        onNotice(`Waiting for workers: ${here} of ${workers} are here.`);
      };
      onListening(
        reachableHosts(host).map((reachable) => workerUrl(reachable, fleet.port)),
        token,
      );
      return;
    }
    const url = workerUrl(host, fleet.port);
    const engine = this.#prepared.engine.name;
    this.#workers = new WorkerProcesses(workers, { url, token, engine });
  }

  /** Trains to the end. @throws DtrainError WORKER_FAILED, NOT_FINITE, THREAD_FAILED */
  async train(): Promise<TrainingResult> {
    const running = this.#training.run();
    try {
      const result = await Promise.race([running, this.#workers?.failed ?? running]);
      this.#complete = true;
      return result;
    } catch (error) {
      this.#training.stop();
      await this.#workers?.kill();
      await running.catch(() => undefined);
      throw error;
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** Stops the training so many seconds after its first steps. */
  stopAfter(seconds: number): void {
    this.#onSteps = () => {
      this.#timer ??= setTimeout(() => {
        this.#training.stop();
      }, seconds * 1000);
    };
  }

  /** Does something that ends, with the signal's reason, after the step at which that comes. */
  async stoppedBy<T>(signal: AbortSignal, action: () => Promise<T>): Promise<T> {
    const stop = (): void => {
      this.#training.stop();
    };
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      return await action();
    } finally {
      signal.removeEventListener('abort', stop);
      // What goes wrong because of the end is not what ended it.
      signal.throwIfAborted();
    }
  }

  mark({ samples, trainSeconds }: Pick<RunProgress, 'samples' | 'trainSeconds'>): Mark {
    const { sent, received } = this.#fleet?.traffic ?? { sent: 0, received: 0 };
    return { samples, seconds: trainSeconds, phases: this.#training.phases, sent, received };
  }

  about() {
    const { model, pool, engine, dataset } = this.#prepared;
    return {
      weightsSha256: sha256(weightBytes(model, pool.weights)),
      spares: this.#mostSpares,
      engine: engine.name,
      engineNote: engine.note ?? '',
      dataset: `${dataset.name} from ${dataset.source}`,
    };
  }

  /** @param ending what joined workers are told of a run that has not failed */
  async close(ending: 'complete' | 'stopped'): Promise<void> {
    await this.#fleet?.close(this.#complete ? ending : 'failed');
    if (this.#complete) await this.#workers?.close();
    else await this.#workers?.kill();
  }
}
