import type { CoordinatorConfig, Deadline, TrainConfig } from '../src/config/types.js';
import { batchOf, microBatchesOf } from '../src/data/batches.js';
import { arithmeticOf } from '../src/engine/names.js';
import { DtrainError } from '../src/errors.js';
import type { LedgerState } from '../src/cost/ledger.js';
import { formatAmount, type Micros } from '../src/cost/money.js';
import { keptPlan, type Planned, plannedFor } from '../src/cost/planned.js';
import { type RunCost, runCost } from '../src/cost/summary.js';
import type { Pricing } from '../src/cost/pricing.js';
import type { Progress, ResultEvent, RunEvent } from '../src/events.js';
import { giveMemoryBack } from '../src/memory.js';
import { stepHyperparameters } from '../src/optim/optimizer.js';
import { learningRate } from '../src/optim/schedule.js';
import type { RunEnding } from '../src/protocol/protocol.js';
import type { LedgerRecord } from '../src/report/ledger-file.js';
import type { RunFolder } from '../src/report/run-folder.js';
import { reachableHosts, tokenFor, workerUrl } from './addresses.js';
import { budgetTooSmall } from './budget.js';
import { CheckpointWriter } from './checkpoint/writer.js';
import { Fleet } from './fleet.js';
import type { FleetOptions } from './fleet-policy.js';
import { LedgerWriter } from './ledger-writer.js';
import type { PreparedRun } from './prepare.js';
import { checkpointsIn, type ResumedRun } from './resume.js';
import {
  profileEvent,
  resultEvent,
  type RunIdentity,
  startEvent,
  stepMetrics,
} from './run-events.js';
import type { Limits } from './run-end.js';
import { takeCheckpoint } from './snapshot.js';
import { NOTHING_DONE } from './tally.js';
import { Training, type TrainingOptions, type TrainingResult } from './training.js';

/** Where a run reports to. */
export interface RunListeners {
  readonly onEvent?: (event: RunEvent) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** One sentence for people. */
  readonly onNotice?: (sentence: string) => void;
  /** The run listens: where, and with which token. */
  readonly onListening?: (urls: readonly string[], token: string | null) => void;
  /** The run has begun; what it hands over asks for a checkpoint. */
  readonly onRunning?: (checkpoint: () => void) => void;
  /** Ends the run after the current step; the model and a checkpoint are saved. */
  readonly signal?: AbortSignal;
}

/** Milliseconds between two looks at the ledger for a progress display. */
const COST_MS = 100;

/** What the members of a run cost, and the most that they may, in micro-units. */
export interface RunMoney {
  readonly pricing: Pricing;
  readonly budget: Micros | null;
}

/** What an evaluation of a micro-batch takes of the time that its gradients take. */
const FORWARD = 1 / 3;

/** Steps between two lines of metrics.jsonl. */
const METRIC_STEPS = 10;

/** One run from its configuration to its folder. */
export class Run {
  readonly #identity: RunIdentity;
  readonly #config: TrainConfig | CoordinatorConfig;
  readonly #listeners: RunListeners;
  readonly #folder: RunFolder;
  readonly #pricing: Pricing;
  readonly #budget: Micros | null;
  readonly #resumed: ResumedRun | undefined;
  readonly #started = performance.now();
  #began = false;
  #cost: { readonly at: number; readonly shown: Pick<Progress, 'cost'> } | undefined;

  constructor(
    config: TrainConfig | CoordinatorConfig,
    listeners: RunListeners,
    name: string,
    folder: RunFolder,
    { pricing, budget }: RunMoney,
    resumed?: ResumedRun,
  ) {
    const before = resumed?.checkpoint.meta.arithmetic ?? 'exact';
    const arithmetic = before === 'exact' ? arithmeticOf(config.engine) : before;
    this.#identity = { name, folder: folder.path, config, arithmetic };
    this.#config = config;
    this.#listeners = listeners;
    this.#folder = folder;
    this.#pricing = pricing;
    this.#budget = budget;
    this.#resumed = resumed;
  }

  /** The run has got as far as its first event. */
  get began(): boolean {
    return this.#began;
  }

  /** @param firstStep steps that were taken before */
  async execute(prepared: PreparedRun, firstStep: number): Promise<ResultEvent> {
    const { signal, onRunning, onNotice = () => undefined } = this.#listeners;
    // The threads have copies of the samples that were read.
    giveMemoryBack();
    let asked = false;
    const writer = new CheckpointWriter({
      store: checkpointsIn(this.#folder.path),
      onNotice,
      onSaved: (step) => {
        this.#emit({ event: 'checkpoint', step });
        if (asked) onNotice(`The checkpoint of step ${step} is saved in ${this.#folder.path}.`);
        asked = false;
      },
    });
    let config = this.#config;
    const training = this.#training(prepared, firstStep, {
      onSave: (step, progress) => {
        writer.save(
          takeCheckpoint(this.#identity, config, prepared, step, progress, training.ledger),
        );
      },
      onLimit: () => fleet?.dismiss(),
    });
    const stop = (): void => {
      training.stop();
    };
    const fleet = await this.#listen(prepared, training);
    // Workers look for a coordinator that comes back where they found it before.
    if (fleet) config = { ...config, port: fleet.port };
    let ending: RunEnding = 'failed';
    let cost: LedgerState | undefined;
    const record = (): LedgerRecord => this.#ledgerRecord(prepared, cost ?? training.ledger);
    const ledger = new LedgerWriter(this.#folder, record, onNotice);
    try {
      this.#began = true;
      const resumedStep = this.#resumed && firstStep;
      this.#emit(startEvent(this.#identity, prepared, resumedStep, fleet?.port));
      signal?.addEventListener('abort', stop);
      if (signal?.aborted) stop();
      onRunning?.(() => {
        asked = true;
        training.save();
      });
      const result = await training.run();
      if (this.#budget !== null && result.limit === 'budget' && result.steps === firstStep) {
        throw budgetTooSmall(this.#budget, this.#pricing);
      }
      const safe = await writer.close();
      await this.#folder.saveModel(prepared.model, prepared.pool.weights);
      cost = training.ledger;
      const event = await this.#conclude(prepared, result, runCost(cost), safe);
      ending = result.limit ? 'limit' : result.outcome;
      if (config.profile) {
        const { trainSeconds: before } = this.#resumed?.checkpoint.meta.progress ?? NOTHING_DONE;
        const trained = {
          steps: result.steps - firstStep,
          seconds: result.trainSeconds - before,
          phases: training.phases,
        };
        this.#emit(await profileEvent(prepared, config.optimizer, trained));
      }
      this.#emit(event);
      return event;
    } finally {
      signal?.removeEventListener('abort', stop);
      await writer.close();
      await ledger.close();
      await fleet?.close(ending);
    }
  }

  /** @param safe whether the last checkpoint is on the disk */
  async #conclude(
    prepared: PreparedRun,
    result: TrainingResult,
    cost: RunCost,
    safe: boolean,
  ): Promise<ResultEvent> {
    const wallSeconds = (performance.now() - this.#started) / 1000;
    const planned = await this.#planned(result);
    const measured = resultEvent(this.#identity, prepared, result, cost, wallSeconds);
    const event = { ...measured, ...(planned && { planned }) };
    await this.#folder.saveSummary({ ...event, confusion: result.test.confusion });
    if (result.outcome === 'complete') await this.#folder.forgetToken();
    else if (!safe) {
      throw new DtrainError(
        'WRITE_FAILED',
        `The run stopped after step ${result.steps}, and its checkpoint could not be written: it can only go on from the one before.`,
      );
    }
    return event;
  }

  /** What was predicted for the fleet that it was. */
  async #planned({ steps, workers }: TrainingResult): Promise<Planned | undefined> {
    const plan = keptPlan(await this.#folder.plan());
    const { threads } = this.#config;
    return plan && plannedFor(plan, { threads, workers, steps });
  }

  #ledgerRecord({ model, dataset, plan }: PreparedRun, ledger: LedgerState): LedgerRecord {
    return {
      run: this.#identity.name,
      model: model.spec.name,
      dataset: dataset.name,
      classes: dataset.classes,
      samplesPerEpoch: plan.samples,
      ledger,
    };
  }

  #emit(event: RunEvent): void {
    this.#listeners.onEvent?.(event);
  }

  /** What is spent, and what will be at the end; looked up now and then, since steps are short. */
  #costSoFar(training: Training, secondsLeft: number): Pick<Progress, 'cost'> {
    const now = performance.now();
    if (this.#cost && now - this.#cost.at < COST_MS) return this.#cost.shown;
    const shown = training.priced
      ? {
          cost: {
            currency: this.#pricing.currency,
            spent: formatAmount(training.spent()),
            predicted: formatAmount(training.spent(secondsLeft)),
          },
        }
      : {};
    this.#cost = { at: now, shown };
    return shown;
  }

  #record(values: object): void {
    const trouble = this.#folder.metric(values);
    if (trouble !== undefined) this.#listeners.onNotice?.(trouble);
  }

  async #listen(prepared: PreparedRun, training: Training): Promise<Fleet | undefined> {
    const config = this.#config;
    if (!('port' in config)) return undefined;
    const token = await this.#token(config);
    const fleet = await Fleet.listen({
      config,
      token,
      run: this.#identity.name,
      prepared,
      training,
      pricing: this.#pricing,
      onEvent: (event) => {
        this.#emit(event);
      },
      onRefused: (reason) => {
        this.#refused(reason, training.awaited);
      },
    });
    const urls = reachableHosts(config.host).map((host) => workerUrl(host, fleet.port));
    this.#listeners.onListening?.(urls, token);
    return fleet;
  }

  /** @param awaited workers for which the run waits before its first step */
  #refused(reason: string, awaited: number): void {
    const rest =
      awaited > 0
        ? ` The run still waits for ${awaited} more: start others, or stop it and start it with fewer --workers.`
        : '';
    this.#listeners.onNotice?.(`A worker was refused: ${reason}.${rest}`);
  }

  /**
   * What a worker must know to join; null if nothing. Without a token of the user's, one is made
   * for other machines; it stays the same when the run is resumed, so that workers find back.
   */
  async #token({ token, host }: CoordinatorConfig): Promise<string | null> {
    const kept = token ?? (await this.#folder.token());
    const made = kept ?? tokenFor(host);
    if (made !== null) await this.#folder.keepToken(made);
    return made;
  }

  /** What ends the run before its last step, if anything does; in seconds of `performance.now`. */
  #limits({ dataset }: PreparedRun): Limits | undefined {
    const { deadline, targetAccuracy, validation } = this.#config;
    const budget = this.#budget;
    if (budget === null && deadline === null && targetAccuracy === null) return undefined;
    return {
      deadline: deadline === null ? Infinity : this.#timeOf(deadline),
      budget,
      targetAccuracy,
      evaluation: FORWARD * microBatchesOf(dataset.test.count + validation),
    };
  }

  #timeOf(deadline: Deadline): number {
    const started = this.#started / 1000;
    if ('seconds' in deadline) return started + deadline.seconds;
    return (performance.now() + deadline.at - Date.now()) / 1000;
  }

  #training(
    prepared: PreparedRun,
    firstStep: number,
    listeners: Pick<TrainingOptions, 'onSave' | 'onLimit'>,
  ): Training {
    const { pool, plan, totalSteps } = prepared;
    const config = this.#config;
    const rate = (step: number): number => learningRate(config, step, totalSteps);
    const { onProgress, onNotice } = this.#listeners;
    const training: Training = new Training({
      pool,
      plan,
      totalSteps,
      firstStep,
      before: this.#resumed?.checkpoint.meta.progress ?? NOTHING_DONE,
      saveEvery: config.checkpointEvery,
      limits: this.#limits(prepared),
      fleet: fleetOptions(config),
      ...listeners,
      localThreads: config.threads > 0,
      pricing: this.#pricing,
      paid: this.#resumed?.paid,
      startWith: 'workers' in config ? config.workers : 0,
      validation: config.validation > 0,
      hyper: (step) => stepHyperparameters(config, rate(step), batchOf(plan, step).samples, step),
      onEpoch: (event) => {
        this.#record(event);
        this.#emit(event);
      },
      onSteps: (steps, progress) => {
        for (const sums of steps) {
          if (sums.step % METRIC_STEPS !== 0) continue;
          this.#record(stepMetrics(sums, plan, rate(sums.step)));
        }
        onProgress?.({ ...progress, ...this.#costSoFar(training, progress.secondsLeft) });
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
    return training;
  }
}

/** Who is to compute, if the configuration says so. */
function fleetOptions(config: TrainConfig | CoordinatorConfig): FleetOptions | undefined {
  if (!('policy' in config) || config.policy === null) return undefined;
  return { policy: config.policy, releaseIdle: config.releaseIdle };
}
