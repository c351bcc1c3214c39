import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { permutation } from '../../src/random/permutation.js';
import type { Stream } from '../../src/random/philox.js';

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

function shuffled(count: number, seed: number, stream: Stream = 'epochOrder', part = 0): number[] {
  return Array.from({ length: count }, (_, index) => index).map(
    permutation(count, seed, stream, part),
  );
}

function isPermutation(values: readonly number[]): boolean {
  const seen = new Uint8Array(values.length);
  for (const value of values) seen[value] = 1;
  return values.length === seen.length && seen.every((flag) => flag === 1);
}

describe('is a permutation', () => {
  test('of every count up to 300', () => {
    for (let count = 1; count <= 300; count++) {
      expect(isPermutation(shuffled(count, count * 7919)), `of ${count}`).toBe(true);
    }
  });

  test('next to powers of two', () => {
    for (let bits = 9; bits <= 15; bits++) {
      for (const count of [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]) {
        expect(isPermutation(shuffled(count, 5)), `of ${count}`).toBe(true);
      }
    }
  });

  test('of any count, seed and part', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        seeds,
        fc.nat({ max: 10_000 }),
        (count, seed, part) => {
          expect(isPermutation(shuffled(count, seed, 'validationSplit', part))).toBe(true);
        },
      ),
    );
  });

  test('of the largest count there is, as far as one can look', () => {
    const count = 2 ** 31;
    const at = permutation(count, 3, 'epochOrder', 0);
    const ends = [0, 1, count - 2, count - 1];
    const middle = Array.from({ length: 10_000 }, (_, index) => index * 104_729 + 17);
    const values = [...ends, ...middle].map(at);
    expect(new Set(values).size).toBe(values.length);
    expect(values.every((value) => Number.isInteger(value) && value >= 0 && value < count)).toBe(
      true,
    );
  });
});

test('is the same each time', () => {
  expect(shuffled(1000, 42, 'epochOrder', 3)).toEqual(shuffled(1000, 42, 'epochOrder', 3));
});

// These numbers must never change: with them the trained weights would.
test('gives the known numbers', () => {
  expect(shuffled(10, 1)).toEqual([5, 0, 1, 7, 2, 4, 9, 3, 8, 6]);
  const at = permutation(60_000, 1, 'epochOrder', 2);
  expect([0, 1, 2, 3, 4, 5].map(at)).toEqual([41173, 8392, 39573, 21995, 30461, 56552]);
});

test('differs by seed, by part and by stream', () => {
  const orders = [
    shuffled(100, 1, 'epochOrder', 0),
    shuffled(100, 2, 'epochOrder', 0),
    shuffled(100, 2 ** 31 + 1, 'epochOrder', 0),
    shuffled(100, 1, 'epochOrder', 1),
    shuffled(100, 1, 'epochOrder', 256),
    shuffled(100, 1, 'validationSplit', 0),
  ];
  expect(new Set(orders.map(String)).size).toBe(orders.length);
});
