import { describe, expect, test } from 'vitest';
import { permutation } from '../../src/random/permutation.js';

/** The order of `count` numbers under one seed. */
function order(count: number, seed: number): number[] {
  const at = permutation(count, seed, 'epochOrder', seed % 7);
  return Array.from({ length: count }, (_, place) => at(place));
}

/**
 * How many standard deviations chi-squared lies above its mean, for counts that should all be
 * equal: beyond 6 for one in 10^8 sets of fair counts or fewer.
 */
function excess(counts: readonly number[], constraints: number): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const chiSquared = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - constraints;
  return (chiSquared - freedom) / Math.sqrt(2 * freedom);
}

function grid(rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
}

function count(cells: number[][], row: number, column: number): void {
  const line = cells[row];
  if (line) line[column] = (line[column] ?? 0) + 1;
}

const SEEDS = 2000;

test.each([2, 3, 5, 8, 9, 10, 16, 17, 33, 60])(
  'over many seeds, each of %i numbers comes in every place and after every other equally often',
  (size) => {
    const places = grid(size, size);
    const pairs = grid(size, size);
    for (let seed = 0; seed < SEEDS; seed++) {
      let before: number | undefined;
      for (const [place, number] of order(size, seed).entries()) {
        count(places, place, number);
        if (before !== undefined) count(pairs, before, number);
        before = number;
      }
    }
    for (const [place, counts] of places.entries()) {
      expect(excess(counts, 1), `in place ${place}`).toBeLessThan(6);
    }
    const others = pairs.flatMap((line, number) => line.filter((_, next) => next !== number));
    expect(excess(others, size > 2 ? size : 1), 'after one another').toBeLessThan(6);
  },
);

test('all orders of a few numbers turn up', () => {
  for (const [size, orders] of [
    [3, 6],
    [4, 24],
    [5, 120],
  ] as const) {
    const seen = new Set(Array.from({ length: SEEDS }, (_, seed) => String(order(size, seed))));
    expect(seen.size, `orders of ${size} numbers`).toBe(orders);
  }
});

describe.each([1000, 9000, 60_000])('within one order, %i numbers', (size) => {
  const numbers = order(size, 1);

  test('of every part are spread over all places', () => {
    const cells = grid(16, 16);
    for (const [place, number] of numbers.entries()) {
      count(cells, Math.floor((place * 16) / size), Math.floor((number * 16) / size));
    }
    expect(excess(cells.flat(), 31)).toBeLessThan(6);
  });

  test('do not depend on the one before', () => {
    const mean = (size - 1) / 2;
    let products = 0;
    let squares = 0;
    for (const [place, number] of numbers.entries()) {
      squares += (number - mean) ** 2;
      products += (number - mean) * ((numbers[place - 1] ?? mean) - mean);
    }
    expect(Math.abs(products / squares) * Math.sqrt(size)).toBeLessThan(5);
  });

  test('do not step by one distance again and again', () => {
    const times = new Map<number, number>();
    for (const [place, number] of numbers.slice(1).entries()) {
      const distance = number - (numbers[place] ?? 0);
      times.set(distance, (times.get(distance) ?? 0) + 1);
    }
    expect(Math.max(...times.values())).toBeLessThan(20);
  });
});
