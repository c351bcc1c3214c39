import { setImmediate } from 'node:timers/promises';
import { batchOf } from '../../src/data/batches.js';
import { costOf } from '../../src/cost/price.js';
import type { Micros } from '../../src/cost/money.js';
import type { Basis } from '../basis.js';
import type { DescribedMachine } from '../fleet-file.js';
import { countsUpTo } from '../fleets.js';
import { type Limit, limitOf } from '../prediction.js';
import { predictStep } from '../step-model.js';
import { simulate, type SimulatedRun } from './simulation.js';

/** One size of a fleet, simulated. Times are in seconds. */
export interface SimulatedSize extends SimulatedRun {
  readonly workers: number;
  readonly stepSeconds: number;
  readonly samplesPerSecond: number;
  /** Of all the job's steps. */
  readonly trainSeconds: number;
  /** Undefined if a price is missing. */
  readonly cost: Micros | undefined;
}

/** How a fleet scales under one coordinator. */
export interface Sweep {
  readonly sizes: readonly SimulatedSize[];
  /** The size from which on more workers hardly help; null if all of them do. */
  readonly saturation: { readonly workers: number; readonly limit: Limit } | null;
}

/** Steps of each size: enough for the coordinator to know its workers, and to tell a mean. */
const STEPS = 60;
/** Shares of each size, where workers fail: the more of them, the more failures are seen. */
const SHARES = 6_000;
/** A size that reaches so much of the best throughput is as good. */
const HARDLY_LESS = 0.95;

interface SweepOptions {
  readonly stopwatch: () => number;
  readonly onSize: (size: SimulatedSize) => void;
  readonly signal: AbortSignal;
}

/** Simulates 1, 2, 3, 4, 8, … and all workers of a fleet, in the same mixture of kinds. */
export async function sweep(
  { job, coordinator, local, workers: described }: Basis,
  { stopwatch, onSize, signal }: SweepOptions,
): Promise<Sweep> {
  const all = mixed(described);
  const fail = described.some(({ failuresPerHour }) => failuresPerHour > 0);
  const sizes: SimulatedSize[] = [];
  for (const count of countsUpTo(all.length)) {
    // Between two sizes Ctrl-C has its turn.
    await setImmediate();
    signal.throwIfAborted();
    const workers = all.slice(0, count);
    const steps = fail ? Math.max(STEPS, Math.ceil(SHARES / count)) : STEPS;
    const options = { job, coordinator, local, workers, steps, seed: 1, stopwatch };
    const run = simulate(options);
    const stepSeconds = run.seconds / run.steps;
    const trainSeconds = stepSeconds * job.steps;
    const prices = [
      ...(local ? [local.price] : []),
      ...workers.map(({ machine: { price } }) => price),
    ];
    const costs = prices.map((price) => (price ? costOf(price, trainSeconds, 0) : undefined));
    const size = {
      ...run,
      workers: count,
      stepSeconds,
      samplesPerSecond: batchOf(job, 0).samples / stepSeconds,
      trainSeconds,
      cost: costs.reduce<Micros | undefined>(
        (sum, cost) => (sum === undefined || cost === undefined ? undefined : sum + cost),
        0n,
      ),
    };
    onSize(size);
    sizes.push(size);
  }
  const enough = enoughOf(sizes);
  if (enough === null) return { sizes, saturation: null };
  const beyond = all.slice(0, 2 * enough).map(({ machine }) => machine);
  const machinesBeyond = [...(local ? [local] : []), ...beyond];
  const { microBatches } = batchOf(job, 0);
  const step = predictStep(machinesBeyond, coordinator, microBatches, job.parameters);
  return { sizes, saturation: { workers: enough, limit: limitOf(step) } };
}

/** The fewest workers that are hardly worse than the best number of them; null if all are needed. */
function enoughOf(sizes: readonly SimulatedSize[]): number | null {
  const best = Math.max(...sizes.map(({ samplesPerSecond }) => samplesPerSecond));
  const enough = sizes.find(({ samplesPerSecond }) => samplesPerSecond >= HARDLY_LESS * best);
  return !enough || enough === sizes.at(-1) ? null : enough.workers;
}

/** The workers one by one, so that the first of them are of all kinds in proportion. */
function mixed(groups: readonly DescribedMachine[]): Omit<DescribedMachine, 'count'>[] {
  return groups
    .flatMap(({ count, ...worker }) =>
      Array.from({ length: count }, (_, index) => ({ worker, place: (index + 0.5) / count })),
    )
    .sort((one, other) => one.place - other.place)
    .map(({ worker }) => worker);
}
