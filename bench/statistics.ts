/** What several runs of one thing gave. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const half = (sorted.length - 1) / 2;
  const [below = NaN, above = NaN] = [sorted[Math.floor(half)], sorted[Math.ceil(half)]];
  return { median: (below + above) / 2, least: sorted[0] ?? NaN, most: sorted.at(-1) ?? NaN };
}

/** What stands in the middle by `valueOf`; of two, the smaller one. */
export function middleOf<T>(things: readonly T[], valueOf: (thing: T) => number): T | undefined {
  const sorted = things.toSorted((one, other) => valueOf(one) - valueOf(other));
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
