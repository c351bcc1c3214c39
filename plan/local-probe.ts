import { availableParallelism } from 'node:os';
import { spreadOf } from '../bench/statistics.js';
import type { PreparedRun } from '../coordinator/prepare.js';
import { batchOf } from '../src/data/batches.js';
import { stepHyperparameters } from '../src/optim/optimizer.js';
import { LONGEST_LEASE } from '../src/threads/memory.js';
import { type Phases, subtractPhases } from '../src/threads/phases.js';
import type { MeasuredSettings } from '../bench/run-config.js';

/** What the threads of a pool took for a step that they took alone, on average. In seconds. */
export interface LeaseTimes {
  readonly threads: number;
  readonly step: number;
  /** Of all threads together, for a micro-batch: its gradients, and its part of the sums. */
  readonly microBatch: number;
}

const MILLISECONDS = 1000;

/** A step's numbers with which weights hardly move: they are of no use afterwards. */
function rowsOf(settings: MeasuredSettings, batch: number, first: number, steps: number) {
  return Array.from({ length: steps }, (_, index) =>
    stepHyperparameters(settings, 1e-6, batch, first + index),
  );
}

/** Has the threads take steps for about so many seconds. */
export async function measureLeases(
  { pool, plan }: PreparedRun,
  settings: MeasuredSettings,
  seconds: number,
  signal: AbortSignal,
): Promise<LeaseTimes> {
  const { microBatches } = batchOf(plan, 0);
  const take = async (steps: number) => {
    signal.throwIfAborted();
    const before = pool.threadSeconds;
    const since = performance.now();
    await pool.lease(0, rowsOf(settings, plan.batch, 0, steps));
    const elapsed = (performance.now() - since) / MILLISECONDS;
    return { elapsed, phases: subtractPhases(pool.threadSeconds, before) };
  };
  // Caches fill, and code is compiled.
  const { elapsed: first } = await take(Math.min(10, fullSteps(plan)));
  const guess = first / Math.min(10, fullSteps(plan));
  const steps = Math.max(1, Math.min(LONGEST_LEASE, fullSteps(plan), Math.round(0.1 / guess)));
  const taken: { elapsed: number; phases: Phases }[] = [];
  const until = performance.now() + seconds * MILLISECONDS;
  do taken.push(await take(steps));
  while (performance.now() < until);
  const median = (of: (lease: { elapsed: number; phases: Phases }) => number): number =>
    spreadOf(taken.map(of)).median / steps;
  return {
    threads: pool.threads,
    step: median(({ elapsed }) => elapsed),
    microBatch:
      median(({ phases: { gather, compute, reduce } }) => gather + compute + reduce) / microBatches,
  };
}

/** Full batches of an epoch: the first steps of every run. */
function fullSteps({ samples, batch }: PreparedRun['plan']): number {
  return Math.max(1, Math.floor(samples / batch));
}

/** What the main thread does itself in a step with workers, and the shares of the local threads. */
export interface MainThreadTimes {
  readonly add: number;
  readonly update: number;
  /** Of a range of the whole batch, by all the pool's threads. */
  readonly range: number;
  readonly evaluation: number;
}

const ROUNDS = 15;

export async function measureMainThread(
  { pool, plan }: PreparedRun,
  settings: MeasuredSettings,
): Promise<MainThreadTimes> {
  const { microBatches } = batchOf(plan, 0);
  const [row = new Float32Array()] = rowsOf(settings, plan.batch, 0, 1);
  const times = { range: [] as number[], add: [] as number[], update: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    const [one] = await timed(times.range, () => pool.range(0, 0, microBatches));
    const [other] = await pool.range(0, 0, 1);
    if (!one || !other) throw new Error('A range had no pieces.');
    await timed(times.add, () => {
      pool.updater.add(one.place, other.place);
    });
    await timed(times.update, () => pool.update(0, one.place, row));
    pool.pieces.give(one.place);
    pool.pieces.give(other.place);
  }
  const evaluation: number[] = [];
  for (let round = 0; round < 2; round++) await timed(evaluation, () => pool.evaluate('test'));
  const median = (values: readonly number[]): number => spreadOf(values).median;
  return {
    add: median(times.add),
    update: median(times.update),
    range: median(times.range),
    evaluation: Math.min(...evaluation) * Math.min(pool.threads, availableParallelism()),
  };
}

async function timed<T>(times: number[], action: () => T): Promise<Awaited<T>> {
  const since = performance.now();
  const result = await action();
  times.push((performance.now() - since) / MILLISECONDS);
  return result;
}
