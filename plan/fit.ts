import { spreadOf } from '../bench/statistics.js';
import type { Coordinator, Link, Machine } from './machine.js';

/** One question to a worker that nobody else was asked beside, and its answer. Seconds. */
export interface Round {
  readonly microBatches: number;
  /** Of the weights and of the pieces. */
  readonly bytes: number;
  /** From the question to the answer. */
  readonly elapsed: number;
  /** The time that the worker says it computed. */
  readonly own: number;
  /** The time for which the coordinator's main thread was busy. */
  readonly busy: number;
}

/** Rounds of three kinds: a small range and the whole batch in one piece each, and many pieces. */
export interface Rounds {
  readonly small: readonly Round[];
  readonly whole: readonly Round[];
  /** None where a batch has too few micro-batches. */
  readonly pieces: readonly Round[];
}

/** Messages of a round: the weights, the range and the answer. */
const MESSAGES = 3;

type Fitted = Pick<Machine, 'microBatchSeconds' | 'shareSeconds'> & { readonly link: Link };

/**
 * A worker's parameters from its rounds: its compute is a line through two numbers of micro-batches,
 * its link one through two numbers of bytes, as Hockney fitted them.
 */
export function fitWorker(rounds: Rounds, threads: number): Fitted {
  const [small, whole, pieces] = [
    middle(rounds.small),
    middle(rounds.whole),
    middle(rounds.pieces.length > 0 ? rounds.pieces : rounds.whole),
  ];
  const compute = line([small.microBatches, small.own], [whole.microBatches, whole.own]);
  const travel = ({ elapsed, own, busy }: Round): number => Math.max(0, elapsed - own - busy);
  const link = line([whole.bytes, travel(whole)], [pieces.bytes, travel(pieces)]);
  return {
    microBatchSeconds: compute.slope * threads,
    shareSeconds: compute.start,
    link: { latency: link.start / 2, byteSeconds: link.slope },
  };
}

/** The coordinator's own time for a message and for a byte, from the rounds of all workers. */
export function fitMessages(
  workers: readonly Rounds[],
): Pick<Coordinator, 'messageSeconds' | 'byteSeconds'> {
  const whole = middle(workers.flatMap((rounds) => rounds.whole));
  const many = workers.flatMap((rounds) => rounds.pieces);
  const pieces = many.length > 0 ? middle(many) : whole;
  const { start, slope } = line([whole.bytes, whole.busy], [pieces.bytes, pieces.busy]);
  return { messageSeconds: start / MESSAGES, byteSeconds: slope };
}

/**
 * The line through two points (y in seconds). Neither its slope nor its start is below zero: noise
 * would have it so, nothing else. Through one point, or if y falls, it is flat.
 */
function line(
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
): { start: number; slope: number } {
  const slope = x2 > x1 ? Math.max(0, (y2 - y1) / (x2 - x1)) : 0;
  const start = y1 - slope * x1;
  return start >= 0 ? { start, slope } : { start: 0, slope: y2 / x2 };
}

/** The medians of each quantity. */
function middle(rounds: readonly Round[]): Round {
  const of = (key: keyof Round): number => spreadOf(rounds.map((round) => round[key])).median;
  return {
    microBatches: of('microBatches'),
    bytes: of('bytes'),
    elapsed: of('elapsed'),
    own: of('own'),
    busy: of('busy'),
  };
}

/**
 * How many times as long threads take once all cores are busy, from how many times as long they
 * took while `busy` of them were at work. The inverse of `slowdownOf`.
 */
export function contentionOf(slowdown: number, busy: number, cores: number): number {
  const others = cores === 1 ? 0 : (Math.min(busy, cores) - 1) / (cores - 1);
  if (others <= 0) return 1;
  return Math.max(1, 1 + (slowdown / Math.max(1, busy / cores) - 1) / others);
}
