import type { Machine } from './machine.js';
import type { Fleet, Group } from './prediction.js';

/** What there is to choose from. */
export interface Stock {
  /** The coordinator's own machine, once for each number of threads that may compute. */
  readonly local: readonly Machine[];
  readonly workers: readonly Group[];
}

/** Fleets to compare at most: a table that nobody reads, and a wait that nobody likes. */
const MOST_FLEETS = 2_000;

/** Up to so many workers of a kind each number is looked at, then only doubled ones. */
const EACH = 4;

/**
 * The fleets that can be made of a stock: every number of each kind, or, of many, 1, 2, 3, 4, 8, …
 * and all. Where the kinds have too many combinations, kinds are added in the order in which they
 * compute most for their price, each as a whole before the next one.
 */
export function fleetsOf({ local, workers }: Stock): Fleet[] {
  const kinds = workers.map(({ machine, count }) =>
    [0, ...countsUpTo(count)].map((some): Group => ({ machine, count: some })),
  );
  const combinations = kinds.reduce((product, counts) => product * counts.length, 1);
  const crews = combinations * (local.length + 1) <= MOST_FLEETS ? products(kinds) : chain(workers);
  const bases: Fleet[] = [[], ...local.map((machine) => [{ machine, count: 1 }])];
  return bases
    .flatMap((base) => crews.map((crew) => [...base, ...crew]))
    .map((fleet) => fleet.filter(({ count }) => count > 0))
    .filter((fleet) => fleet.length > 0);
}

/** 1, 2, 3, 4, 8, 16, … and the number itself. */
export function countsUpTo(count: number): number[] {
  const counts: number[] = [];
  for (let next = 1; next < count; next = next < EACH ? next + 1 : 2 * next) counts.push(next);
  return count === 0 ? [] : [...counts, count];
}

function products(kinds: readonly (readonly Group[])[]): Fleet[] {
  return kinds.reduce<Fleet[]>(
    (fleets, counts) => fleets.flatMap((fleet) => counts.map((group) => [...fleet, group])),
    [[]],
  );
}

function chain(workers: readonly Group[]): Fleet[] {
  const ordered = workers.toSorted((one, other) => value(other.machine) - value(one.machine));
  const fleets: Fleet[] = [[]];
  let whole: Fleet = [];
  for (const { machine, count } of ordered) {
    for (const some of countsUpTo(count)) fleets.push([...whole, { machine, count: some }]);
    whole = [...whole, { machine, count }];
  }
  return fleets;
}

/** Micro-batches for the money of a second; a second itself where there is no price. */
function value({ threads, microBatchSeconds, price }: Machine): number {
  return threads / microBatchSeconds / (price ? Math.max(1, Number(price.perHour)) : 1);
}
