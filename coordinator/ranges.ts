/** Micro-batches first to last - 1 of a step. */
export interface MicroBatchRange {
  readonly first: number;
  readonly last: number;
}

/** What a member is predicted to need for n micro-batches: link + n * pace seconds. */
export interface Speed {
  /** Seconds that its connection adds to an answer. */
  readonly link: number;
  /** Seconds for a micro-batch. */
  readonly pace: number;
}

export interface Shares {
  /** One for each speed, in order and side by side; some may be empty. */
  readonly ranges: readonly MicroBatchRange[];
  /** When the last of them is predicted to be done, in seconds. */
  readonly seconds: number;
}

/** Blocks that a batch is cut along at least: more would make more pieces to send. */
const BLOCKS = 16;

/** Micro-batches in a block, a power of two: small enough for each member to have one or two. */
export function blockOf(microBatches: number, members: number): number {
  const blocks = Math.max(BLOCKS, 2 * members);
  return 2 ** Math.max(0, Math.floor(Math.log2(microBatches / blocks)));
}

/**
 * Shares a range out so that it is predicted to be done as early as can be, in whole blocks: each
 * block goes to whoever would be done with it first. That is the best division, since blocks are
 * alike and a member's time only grows with them. Who would be late with a single block gets none.
 */
export function shareOut(
  { first, last }: MicroBatchRange,
  speeds: readonly Speed[],
  block = 1,
): Shares {
  const blocks = Math.ceil(last / block) - Math.floor(first / block);
  const taken = speeds.map(() => 0);
  const doneAt = speeds.map(({ link, pace }) => link + block * pace);
  let seconds = 0;
  for (let given = 0; given < blocks; given++) {
    const next = doneAt.indexOf(Math.min(...doneAt));
    const { link, pace } = speeds[next] ?? { link: 0, pace: 0 };
    taken[next] = (taken[next] ?? 0) + 1;
    seconds = doneAt[next] ?? 0;
    doneAt[next] = link + ((taken[next] ?? 0) + 1) * block * pace;
  }
  let start = first;
  const ranges = taken.map((count) => {
    const aligned = (Math.floor(start / block) + count) * block;
    const range = { first: start, last: count === 0 ? start : Math.min(last, aligned) };
    start = range.last;
    return range;
  });
  return { ranges, seconds };
}

/**
 * Seconds that so many micro-batches take as if they could be divided at will, without those who
 * would be late with a single block: for many speeds, with which `shareOut` takes long.
 */
export function fluidSeconds(
  microBatches: number,
  speeds: readonly Speed[],
  block: number,
): number {
  const least = ({ link, pace }: Speed): number => link + block * pace;
  const sorted = speeds.toSorted((one, other) => least(one) - least(other));
  let [rate, head, seconds] = [0, 0, Infinity];
  for (const speed of sorted) {
    if (least(speed) >= seconds) break;
    rate += 1 / speed.pace;
    head += speed.link / speed.pace;
    seconds = (microBatches + head) / rate;
  }
  return seconds;
}

/** Speeds are known no better than that, and a piece more to send costs something too. */
const TOLERANCE = 1.1;

/**
 * As `shareOut`, in the largest blocks with which it takes hardly longer: shares that are whole
 * subtrees of the reduction are fewer pieces to send.
 * @param block the least
 */
export function shareOutInFewPieces(
  range: MicroBatchRange,
  speeds: readonly Speed[],
  block: number,
): Shares {
  const finest = shareOut(range, speeds, block);
  let best = finest;
  for (let size = 2 * block; size < range.last - range.first; size *= 2) {
    const shares = shareOut(range, speeds, size);
    if (shares.seconds <= TOLERANCE * finest.seconds) best = shares;
  }
  return best;
}
