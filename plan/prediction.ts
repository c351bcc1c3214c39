import { batchOf, stepsPerEpoch } from '../src/data/batches.js';
import type { Micros } from '../src/cost/money.js';
import { costOf, type Price } from '../src/cost/price.js';
import type { Coordinator, Job, Machine } from './machine.js';
import { predictStep } from './step-model.js';

/** So many machines of a kind. */
export interface Group {
  readonly machine: Machine;
  readonly count: number;
}

export type Fleet = readonly Group[];

/** What takes most of a step. */
export type Limit = 'compute' | 'link' | 'serial';

/** What a fleet would do with a job. Times are in seconds. */
export interface Prediction {
  readonly fleet: string;
  /** Threads of the coordinator's own that compute, and workers. */
  readonly threads: number;
  readonly workers: number;
  /** Workers that would have no share of the steps, since steps would be longer with them. */
  readonly spares: number;
  /** A full step and its parts; null where the estimate knows no steps. */
  readonly step: StepParts | null;
  readonly samplesPerSecond: number | null;
  /** Of all steps, and from the command to its end. */
  readonly trainSeconds: number;
  readonly seconds: number;
  /** Of all workers and the coordinator's machine, together. */
  readonly workerSeconds: number;
  /** Undefined if a price is missing. */
  readonly cost: Micros | undefined;
  /** The time that all threads would take at full speed, over the time of the steps. */
  readonly efficiency: number;
  readonly limit: Limit;
}

interface StepParts {
  readonly seconds: number;
  readonly compute: number;
  readonly link: number;
  readonly serial: number;
}

/**
 * Predicts a whole run of a fleet.
 * @param own what the coordinator's machine costs, which is paid for even if its threads do not
 *   compute; null if nobody says
 */
export function predict(
  fleet: Fleet,
  coordinator: Coordinator,
  job: Job,
  own: Price | null = null,
): Prediction {
  const machines = fleet.flatMap(({ machine, count }) =>
    Array.from({ length: count }, () => machine),
  );
  const { microBatches, samples } = batchOf(job, 0);
  const step = predictStep(machines, coordinator, microBatches, job.parameters);
  const { full, short, shortMicroBatches } = stepsOf(job);
  const last =
    short === 0 ? 0 : predictStep(machines, coordinator, shortMicroBatches, job.parameters).seconds;
  const trainSeconds = full * step.seconds + short * last;
  const local = machines.find(({ link }) => link === null);
  const evaluations = Math.max(1, Math.ceil(job.steps / stepsPerEpoch(job)));
  const evaluation = job.evaluationSeconds / Math.min(local?.threads ?? 1, coordinator.cores);
  // Billing begins when a member is ready to compute.
  const there = trainSeconds + evaluations * evaluation;
  const seconds = job.startSeconds + there;
  const rate = machines.reduce(
    (sum, { threads, microBatchSeconds }) => sum + threads / microBatchSeconds,
    0,
  );
  const remote = machines.map(({ link }) => link !== null);
  const sentByAll = step.bytes.reduce((sum, { sent }) => sum + sent, 0);
  const paid = machines.map(({ price }, index) => {
    const { received = 0 } = step.bytes[index] ?? {};
    return { price, bytes: remote[index] ? received : sentByAll };
  });
  if (!local && own) paid.push({ price: own, bytes: sentByAll });
  const costs = paid.map(({ price, bytes }) =>
    price ? costOf(price, there, Math.round(bytes * job.steps)) : undefined,
  );
  const { compute, link, serial } = step;
  return {
    fleet: nameOf(fleet),
    threads: local?.threads ?? 0,
    workers: remote.filter(Boolean).length,
    spares: step.shares.filter((share, index) => share === 0 && remote[index]).length,
    step: { seconds: step.seconds, compute, link, serial },
    samplesPerSecond: samples / step.seconds,
    trainSeconds,
    seconds,
    workerSeconds: there * (remote.filter(Boolean).length + 1),
    cost: costs.reduce<Micros | undefined>(
      (sum, cost) => (sum === undefined || cost === undefined ? undefined : sum + cost),
      0n,
    ),
    efficiency: microBatches / rate / step.seconds,
    limit: limitOf(step),
  };
}

/** The largest part of a step. */
export function limitOf({ compute, link, serial }: Omit<StepParts, 'seconds'>): Limit {
  if (compute >= link && compute >= serial) return 'compute';
  return link >= serial ? 'link' : 'serial';
}

/** The last step of an epoch may have fewer samples. */
function stepsOf(job: Job): { full: number; short: number; shortMicroBatches: number } {
  const inEpoch = stepsPerEpoch(job);
  const last = batchOf(job, inEpoch - 1);
  const short = last.samples === job.batch ? 0 : Math.floor(job.steps / inEpoch);
  return { full: job.steps - short, short, shortMicroBatches: last.microBatches };
}

/** `2 threads + 3 laptop` */
export function nameOf(fleet: Fleet): string {
  return fleet
    .filter(({ count }) => count > 0)
    .map(({ machine: { name, threads, link }, count }) =>
      link === null ? `${threads} ${threads === 1 ? 'thread' : 'threads'}` : `${count} ${name}`,
    )
    .join(' + ');
}
