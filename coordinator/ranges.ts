/** Micro-batches first to last - 1 of a step. */
export interface MicroBatchRange {
  readonly first: number;
  readonly last: number;
}

/** Parts of a batch that a cut is rounded to: finer cuts would make more pieces to send. */
const BLOCKS = 16;

/** Micro-batches in the blocks that a batch of so many is cut along: a power of two. */
export function blockOf(microBatches: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(microBatches / BLOCKS)));
}

/**
 * Cuts a range into one part for each weight, in order and in proportion, at multiples of `block`
 * micro-batches. A part may be empty.
 */
export function splitRange(
  { first, last }: MicroBatchRange,
  weights: readonly number[],
  block = 1,
): MicroBatchRange[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  let start = first;
  return weights.map((weight, index) => {
    before += weight;
    const share = first + ((last - first) * before) / total;
    const cut = Math.min(last, Math.round(share / block) * block);
    const end = index === weights.length - 1 ? last : Math.max(start, cut);
    const part = { first: start, last: end };
    start = end;
    return part;
  });
}
