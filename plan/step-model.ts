import { blockOf, shareOutInFewPieces, type Speed } from '../coordinator/ranges.js';
import { pieceBytes } from '../src/protocol/protocol.js';
import { coveringNodes } from '../src/reduce/tree.js';
import type { Coordinator, Machine, Wait } from './machine.js';

/** What a step takes, in seconds, and the way of the answer that came last. */
export interface StepPrediction {
  readonly seconds: number;
  /** Gradients. */
  readonly compute: number;
  /** Bytes on their way. */
  readonly link: number;
  /** What is done one after the other: messages, sums and the update on the main thread. */
  readonly serial: number;
  /** Micro-batches of each machine, in order. */
  readonly shares: readonly number[];
  /** Bytes of each machine's messages: to it and from it. */
  readonly bytes: readonly { readonly sent: number; readonly received: number }[];
}

/** Messages of a share: the weights and the range to the worker, the sums back. */
const MESSAGES = 3;

const NO_BYTES = { sent: 0, received: 0 };

/**
 * Predicts a step of `microBatches` on these machines. The coordinator sends the weights to one
 * worker after the other and takes the sums one after the other, a flat tree in the terms of
 * Thakur, Rabenseifner and Gropp (Optimization of collective communication operations in MPICH,
 * 2005), so that each message costs its link alpha + beta bytes, and the main thread its
 * own time. Ranges are shared out as the coordinator does it; its own threads take the step alone
 * where that is sooner.
 */
export function predictStep(
  machines: readonly Machine[],
  coordinator: Coordinator,
  microBatches: number,
  parameters: number,
): StepPrediction {
  const together = predictTogether(machines, coordinator, microBatches, parameters);
  const local = machines.findIndex(({ link }) => link === null);
  const machine = machines[local];
  if (!machine) return together;
  const alone = predictAlone(machine, coordinator, microBatches);
  const helped = together.shares.some((share, index) => share > 0 && index !== local);
  if (helped && together.seconds < alone.seconds) return together;
  return {
    ...alone,
    shares: machines.map((_, index) => (index === local ? microBatches : 0)),
    bytes: machines.map(() => NO_BYTES),
  };
}

/** The coordinator's threads take the whole step, in grains from a common counter. */
function predictAlone(
  machine: Machine,
  coordinator: Coordinator,
  microBatches: number,
): Pick<StepPrediction, 'seconds' | 'compute' | 'link' | 'serial'> {
  const { grain } = coordinator;
  const leaseSeconds =
    coordinator.leaseSeconds + (machine.threads - 1) * coordinator.leaseThreadSeconds;
  const most = Math.ceil(Math.ceil(microBatches / grain) / machine.threads) * grain;
  const slowdown = slowdownOf(machine, coordinator, machine.threads);
  const compute = Math.min(most, microBatches) * machine.microBatchSeconds * slowdown;
  return { seconds: compute + leaseSeconds, compute, link: 0, serial: leaseSeconds };
}

function predictTogether(
  machines: readonly Machine[],
  coordinator: Coordinator,
  microBatches: number,
  parameters: number,
): StepPrediction {
  const piece = pieceBytes(parameters);
  const weights = 4 * parameters;
  const { messageSeconds, byteSeconds, waits, addSeconds, updateSeconds } = coordinator;
  const everybody = busyThreads(machines);
  const speeds = machines.map((machine): Speed => {
    const own = paceOf(machine, coordinator, everybody);
    const busy = machine.link ? MESSAGES * messageSeconds + (weights + piece) * byteSeconds : 0;
    return { link: busy + machine.shareSeconds + transfer(machine, weights + piece), pace: own };
  });
  const block = blockOf(microBatches, machines.length);
  const { ranges } = shareOutInFewPieces({ first: 0, last: microBatches }, speeds, block);
  const computing = busyThreads(machines.filter((_, index) => sizeOf(ranges[index]) > 0));
  const shared = machines.flatMap((machine, index) => {
    const range = ranges[index] ?? { first: 0, last: 0 };
    if (sizeOf(range) === 0) return [];
    const pieces = coveringNodes(range.first, range.last, microBatches).length;
    const pace = paceOf(machine, coordinator, computing);
    const compute = machine.shareSeconds + sizeOf(range) * pace;
    const { link } = machine;
    const [sent, received] = link ? [weights, pieces * piece] : [0, 0];
    return [{ index, link, pieces, compute, sent, received }];
  });
  let clock = 0;
  const weightsSent = shared.map(({ link, sent }) => {
    if (link) clock += messageSeconds + sent * byteSeconds;
    return clock;
  });
  const arrivals = shared.map(({ link, pieces, compute, sent, received }, position) => {
    const adding = pieces * addSeconds;
    if (!link) return { at: clock + compute, compute, link: 0, taking: adding };
    clock += messageSeconds;
    const carried = sent * link.byteSeconds;
    const begin = link.latency + Math.max((weightsSent[position] ?? 0) + carried, clock);
    return {
      at: begin + compute + link.latency + received * link.byteSeconds,
      compute,
      link: 2 * link.latency + carried + received * link.byteSeconds,
      taking: messageSeconds + received * byteSeconds + adding,
    };
  });
  arrivals.sort((one, other) => one.at - other.at);
  for (const { at, taking } of arrivals) clock = Math.max(clock, at) + taking;
  const workers = shared.filter(({ link }) => link !== null).length;
  const seconds = clock + updateSeconds + waitOf(waits, workers);
  const { compute = 0, link = 0 } = arrivals.at(-1) ?? {};
  return {
    seconds,
    compute,
    link,
    serial: seconds - compute - link,
    shares: ranges.map(sizeOf),
    bytes: machines.map((_, index) => {
      const { sent, received } = shared.find((share) => share.index === index) ?? NO_BYTES;
      return { sent, received };
    }),
  };
}

/** Seconds for bytes that go there and back, in two messages that wait for each other. */
function transfer({ link }: Machine, bytes: number): number {
  return link ? 2 * link.latency + bytes * link.byteSeconds : 0;
}

/** Seconds of a machine for a micro-batch, while so many threads share the coordinator's cores. */
function paceOf(machine: Machine, coordinator: Coordinator, busy: number): number {
  return (machine.microBatchSeconds / machine.threads) * slowdownOf(machine, coordinator, busy);
}

/** How many times as long threads take while `busy` of them share the coordinator's cores. */
export function slowdownOf(
  { sharesCores, contention }: Pick<Machine, 'sharesCores' | 'contention'>,
  { cores }: Pick<Coordinator, 'cores'>,
  busy: number,
): number {
  if (!sharesCores) return 1;
  const others = cores === 1 ? 0 : (Math.min(busy, cores) - 1) / (cores - 1);
  return Math.max(1, busy / cores) * (1 + (contention - 1) * Math.max(0, others));
}

function busyThreads(machines: readonly Machine[]): number {
  return machines.reduce((sum, { sharesCores, threads }) => sum + (sharesCores ? threads : 0), 0);
}

/** Of so many workers: between the numbers that were measured, in proportion. */
function waitOf(waits: readonly Wait[], workers: number): number {
  const above = waits.findIndex((wait) => wait.workers >= workers);
  const [low, high] = above < 0 ? waits.slice(-2) : waits.slice(Math.max(0, above - 1), above + 1);
  if (!low || workers === 0) return 0;
  if (!high) return low.seconds;
  const slope = (high.seconds - low.seconds) / (high.workers - low.workers);
  return low.seconds + slope * (workers - low.workers);
}

function sizeOf(range: { first: number; last: number } | undefined): number {
  return range ? range.last - range.first : 0;
}
