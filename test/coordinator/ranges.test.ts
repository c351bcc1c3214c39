import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockOf, splitRange } from '../../coordinator/ranges.js';

const ranges = fc
  .tuple(fc.nat({ max: 100 }), fc.integer({ min: 1, max: 200 }))
  .map(([first, length]) => ({ first, last: first + length }));
const blocks = fc.constantFrom(1, 2, 4, 8, 16);
const weights = fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), {
  minLength: 1,
  maxLength: 12,
});

describe('splitRange', () => {
  test('cuts the range into one part for each weight, in order and without a gap', () => {
    fc.assert(
      fc.property(ranges, weights, blocks, (range, shares, block) => {
        const parts = splitRange(range, shares, block);
        expect(parts).toHaveLength(shares.length);
        let next = range.first;
        for (const { first, last } of parts) {
          expect(first).toBe(next);
          expect(last).toBeGreaterThanOrEqual(first);
          next = last;
        }
        expect(next).toBe(range.last);
      }),
      { numRuns: 2000 },
    );
  });

  test('gives every part its proportion, to the next block at either end', () => {
    fc.assert(
      fc.property(ranges, weights, blocks, (range, shares, block) => {
        const total = shares.reduce((sum, share) => sum + share, 0);
        const length = range.last - range.first;
        splitRange(range, shares, block).forEach((part, index) => {
          const fair = (length * (shares[index] ?? 0)) / total;
          expect(Math.abs(part.last - part.first - fair)).toBeLessThanOrEqual(block + 1e-9);
        });
      }),
      { numRuns: 2000 },
    );
  });

  test('cuts only between blocks', () => {
    fc.assert(
      fc.property(ranges, weights, blocks, (range, shares, block) => {
        for (const { first } of splitRange(range, shares, block)) {
          if (first !== range.first && first !== range.last) expect(first % block).toBe(0);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('follows speeds of very different size', () => {
    expect(splitRange({ first: 0, last: 8 }, [1, 1, 2])).toEqual([
      { first: 0, last: 2 },
      { first: 2, last: 4 },
      { first: 4, last: 8 },
    ]);
    expect(splitRange({ first: 3, last: 4 }, [1, 1000])).toEqual([
      { first: 3, last: 3 },
      { first: 3, last: 4 },
    ]);
  });
});

test('a block is a power of two, so that a batch has about 16 to 32 of them', () => {
  expect([1, 8, 16, 31, 32, 63, 64, 1024].map(blockOf)).toEqual([1, 1, 1, 1, 2, 2, 4, 64]);
  for (let microBatches = 16; microBatches <= 8192; microBatches++) {
    const count = microBatches / blockOf(microBatches);
    expect(count).toBeGreaterThanOrEqual(16);
    expect(count).toBeLessThan(32);
  }
});
