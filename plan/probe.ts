import { availableParallelism } from 'node:os';
import { type Machine as Host, thisMachine } from '../bench/machine.js';
import { type MeasuredSettings, runConfig } from '../bench/run-config.js';
import { WorkerProcesses } from '../bench/worker-processes.js';
import { isLoopback, newToken, reachableHosts, workerUrl } from '../coordinator/addresses.js';
import { Fleet } from '../coordinator/fleet.js';
import { type PreparedRun, prepareRun } from '../coordinator/prepare.js';
import type { RemoteMember } from '../coordinator/remote-members.js';
import { NO_AUGMENTATION } from '../src/augment/augmentation.js';
import type { CoordinatorConfig } from '../src/config/types.js';
import type { Pricing } from '../src/cost/pricing.js';
import { batchOf } from '../src/data/batches.js';
import { DtrainError } from '../src/errors.js';
import { contentionOf, fitMessages, fitWorker, type Rounds } from './fit.js';
import { fitTrials, slowedBy } from './fit-trials.js';
import {
  type LeaseTimes,
  type MainThreadTimes,
  measureLeases,
  measureMainThread,
} from './local-probe.js';
import { countsUpTo } from './fleets.js';
import type { Coordinator, Machine } from './machine.js';
import type { Trial } from './trial-run.js';
import { WorkerProbe } from './worker-probe.js';

/** What is measured. */
export interface ProbeSettings extends MeasuredSettings {
  readonly batch: number;
  readonly validation: number;
  /** Most threads of this machine that compute. */
  readonly threads: number;
  /** Workers to measure. */
  readonly workers: number;
  /** Where they join; null: they are started here, one thread each. */
  readonly listen: Pick<CoordinatorConfig, 'host' | 'port' | 'token'> | null;
  /** Seconds to wait for workers that join. */
  readonly wait: number;
  /** About how long each thing is measured. */
  readonly seconds: number;
}

export interface ProbeListeners {
  readonly onNotice: (sentence: string) => void;
  readonly onListening: (urls: readonly string[], token: string | null) => void;
  readonly signal: AbortSignal;
}

/** What was measured: all that predictions for a model, a batch and these machines need. */
export interface Profile {
  /** When; ISO 8601. */
  readonly date: string;
  readonly host: Host;
  readonly engine: string;
  readonly model: MeasuredSettings['model'];
  readonly parameters: number;
  /** Samples of an epoch, and of a step. */
  readonly samples: number;
  readonly batch: number;
  readonly startSeconds: number;
  /** With one thread. */
  readonly evaluationSeconds: number;
  readonly coordinator: Coordinator;
  /** The coordinator's own threads: all that there may be. */
  readonly local: Machine;
  readonly workers: readonly Machine[];
}

/** Micro-batches that a thread of native code takes at a time, if its vectors are wide enough. */
const PAIR = 2;

/**
 * Measures this machine's threads, and workers, for some seconds.
 * @throws DtrainError USAGE, WORKER_FAILED and what a run can fail with before its first step
 */
export async function probe(
  settings: ProbeSettings,
  pricing: Pricing,
  listeners: ProbeListeners,
): Promise<Profile> {
  const { onNotice, signal } = listeners;
  const host = await thisMachine();
  const date = new Date().toISOString();
  const since = performance.now();
  const prepared = await prepare(settings, settings.threads, listeners);
  const startSeconds = (performance.now() - since) / 1000;
  try {
    const { plan, engine, model } = prepared;
    if (plan.batch > plan.samples) {
      const sentence = `A batch of ${plan.batch} samples is more than the ${plan.samples} of the training set: choose a smaller --batch.`;
      throw new DtrainError('USAGE', sentence);
    }
    onNotice(`Measuring ${settings.threads} threads of this machine.`);
    const all = await measureLeases(prepared, settings, settings.seconds, signal);
    const main = await measureMainThread(prepared, settings);
    const one = settings.threads === 1 ? all : await measureOne(settings, listeners);
    const { microBatches } = batchOf(plan, 0);
    const pairs = engine.library?.pairWorkSize !== undefined && microBatches > 1;
    const local = localMachine(one, all, main.range, microBatches);
    const measured =
      settings.workers > 0
        ? await probeWorkers(settings, pricing, prepared, main, listeners)
        : undefined;
    const grain = pairs ? PAIR : 1;
    return {
      date,
      host,
      engine: engine.name,
      model: settings.model,
      parameters: model.parameterCount,
      ...plan,
      startSeconds,
      evaluationSeconds: main.evaluation,
      coordinator: {
        cores: availableParallelism(),
        messageSeconds: measured?.messageSeconds ?? 0,
        byteSeconds: measured?.byteSeconds ?? 0,
        waits: measured?.waits ?? [],
        addSeconds: main.add,
        updateSeconds: main.update,
        grain,
        ...leaseCosts(one, all, local, microBatches, grain),
      },
      local,
      workers: measured?.workers ?? [],
    };
  } finally {
    await prepared.pool.close();
  }
}

function prepare(
  settings: ProbeSettings,
  threads: number,
  { onNotice, signal }: ProbeListeners,
): Promise<PreparedRun> {
  const { batch, validation } = settings;
  const only = { kind: 'threads', workers: threads, batch, steps: 1, warmUpSteps: 1 } as const;
  return prepareRun({ ...runConfig(settings, only, ''), validation }, onNotice, signal);
}

async function measureOne(settings: ProbeSettings, listeners: ProbeListeners): Promise<LeaseTimes> {
  // All that is to be said of the data has been said.
  const prepared = await prepare(settings, 1, { ...listeners, onNotice: () => undefined });
  try {
    return await measureLeases(prepared, settings, settings.seconds, listeners.signal);
  } finally {
    await prepared.pool.close();
  }
}

function localMachine(
  one: LeaseTimes,
  all: LeaseTimes,
  range: number,
  microBatches: number,
): Machine {
  const slowdown = all.microBatch / one.microBatch;
  return {
    name: 'threads',
    threads: all.threads,
    microBatchSeconds: one.microBatch,
    shareSeconds: Math.max(0, range - (microBatches * all.microBatch) / all.threads),
    link: null,
    sharesCores: true,
    contention: contentionOf(slowdown, all.threads, availableParallelism()),
    price: null,
  };
}

/** What is left of the steps' times beside the gradients of the thread that has most of them. */
function leaseCosts(
  one: LeaseTimes,
  all: LeaseTimes,
  local: Machine,
  microBatches: number,
  grain: number,
): Pick<Coordinator, 'leaseSeconds' | 'leaseThreadSeconds'> {
  const leaseSeconds = Math.max(0, one.step - microBatches * one.microBatch);
  const most = Math.ceil(Math.ceil(microBatches / grain) / all.threads) * grain;
  const rest = all.step - Math.min(most, microBatches) * all.microBatch;
  const leaseThreadSeconds =
    local.threads === 1 ? 0 : Math.max(0, (rest - leaseSeconds) / (local.threads - 1));
  return { leaseSeconds, leaseThreadSeconds };
}

type MeasuredWorkers = Pick<Coordinator, 'messageSeconds' | 'byteSeconds' | 'waits'> &
  Pick<Profile, 'workers'>;

async function probeWorkers(
  settings: ProbeSettings,
  pricing: Pricing,
  prepared: PreparedRun,
  main: MainThreadTimes,
  listeners: ProbeListeners,
): Promise<MeasuredWorkers> {
  const { listen, workers: wanted, validation, batch, seconds } = settings;
  const { onNotice, signal } = listeners;
  let changed: () => void = () => undefined;
  const workerProbe = new WorkerProbe(prepared, settings, pricing, () => {
    changed();
  });
  const token = listen ? listen.token : newToken();
  const { host, port } = listen ?? { host: '127.0.0.1', port: 0 };
  const { optimizer, seed } = settings;
  const fleet = await Fleet.listen({
    config: { host, port, optimizer, seed, batch, validation, augment: NO_AUGMENTATION },
    token,
    run: 'plan',
    prepared,
    training: workerProbe,
    pricing,
    onEvent: ({ action, name, threads }) => {
      if (listen) onNotice(`${name} (threads: ${threads}) ${action}.`);
    },
    onRefused: (reason) => {
      onNotice(`A worker was refused: ${reason}.`);
    },
  });
  const urls = reachableHosts(host).map((address) => workerUrl(address, fleet.port));
  const processes = listen
    ? undefined
    : new WorkerProcesses(wanted, {
        url: urls[0] ?? '',
        token: token ?? '',
        engine: prepared.engine.name,
      });
  if (listen) listeners.onListening(urls, token);
  const gathered = new Promise<void>((resolve, reject) => {
    changed = () => {
      if (workerProbe.workers >= wanted) resolve();
    };
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
    setTimeout(() => {
      const sentence = `Only ${workerProbe.workers} of ${wanted} workers joined in ${settings.wait} s: start more, or wait longer with --wait.`;
      reject(new DtrainError('WORKER_FAILED', sentence));
    }, settings.wait * 1000).unref();
  });
  const measure = async (): Promise<MeasuredWorkers> => {
    await gathered;
    onNotice(`Measuring ${workerProbe.workers} workers.`);
    return measureWorkers(workerProbe, prepared, main, seconds, signal);
  };
  try {
    const measuring = measure();
    // Whoever waits for it sees it, unless a process has failed before.
    measuring.catch(() => undefined);
    return await Promise.race([measuring, processes?.failed ?? measuring]);
  } finally {
    await fleet.close('stopped');
    await processes?.kill();
  }
}

async function measureWorkers(
  workerProbe: WorkerProbe,
  { model, plan }: PreparedRun,
  main: MainThreadTimes,
  seconds: number,
  signal: AbortSignal,
): Promise<MeasuredWorkers> {
  const { members } = workerProbe;
  // Newcomers compile their code as they go: what they take at first says nothing of a run.
  await workerProbe.together(members.length, seconds, signal);
  const trials: Trial[] = [];
  for (const workers of countsUpTo(members.length)) {
    trials.push(await workerProbe.together(workers, seconds, signal));
  }
  const alone: { readonly member: RemoteMember; readonly rounds: Rounds }[] = [];
  for (const [id, member] of members) {
    alone.push({ member, rounds: await workerProbe.alone(id, seconds, signal) });
  }
  const workers = alone.map(({ member, rounds }) => ({
    name: member.name,
    threads: member.threads,
    sharesCores: isLoopback(member.address.replace(/^::ffff:/, '')),
    contention: 1,
    price: member.price,
    ...fitWorker(rounds, member.threads),
  }));
  const messages = fitMessages(alone.map(({ rounds }) => rounds));
  const coordinator = {
    ...messages,
    ...{ cores: availableParallelism(), addSeconds: main.add, updateSeconds: main.update },
    // The coordinator's own threads have no share.
    ...{ grain: 1, leaseSeconds: 0, leaseThreadSeconds: 0 },
  };
  const { contention, waits } = fitTrials(trials, workers, coordinator, {
    ...plan,
    parameters: model.parameterCount,
  });
  return { ...messages, waits, workers: slowedBy(contention, workers) };
}
