/** Micro-batches first to last - 1 of a step. */
export interface MicroBatchRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Cuts a range into one part for each weight, in order and in proportion, rounded to whole
 * micro-batches. A part may be empty.
 */
export function splitRange(
  { first, last }: MicroBatchRange,
  weights: readonly number[],
): MicroBatchRange[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  let start = first;
  return weights.map((weight, index) => {
    before += weight;
    const end =
      index === weights.length - 1 ? last : first + Math.round(((last - first) * before) / total);
    const part = { first: start, last: Math.max(start, end) };
    start = part.last;
    return part;
  });
}
