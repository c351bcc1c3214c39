import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  blockOf,
  type MicroBatchRange,
  shareOut,
  shareOutInFewPieces,
  type Speed,
} from '../../coordinator/ranges.js';

const ranges = fc
  .tuple(fc.nat({ max: 100 }), fc.integer({ min: 1, max: 200 }))
  .map(([first, length]) => ({ first, last: first + length }));
const blocks = fc.constantFrom(1, 2, 4, 8, 16);
const speed = fc.record({
  link: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 10, noNaN: true })),
  pace: fc.double({ min: 1e-9, max: 10, noNaN: true }),
});
const speeds = fc.array(speed, { minLength: 1, maxLength: 12 });

/** Blocks that a range has a part of. */
function blocksIn({ first, last }: MicroBatchRange, block: number): number {
  return last === first ? 0 : Math.ceil(last / block) - Math.floor(first / block);
}

function secondsOf({ link, pace }: Speed, count: number, block: number): number {
  return count === 0 ? 0 : link + count * block * pace;
}

/** The least time in which `count` blocks can be done: every division is tried. */
function leastSeconds([first, ...others]: readonly Speed[], count: number, block: number): number {
  if (!first) return count === 0 ? 0 : Infinity;
  const divisions = Array.from({ length: count + 1 }, (_, taken) =>
    Math.max(secondsOf(first, taken, block), leastSeconds(others, count - taken, block)),
  );
  return Math.min(...divisions);
}

describe('shareOut', () => {
  test('gives each member a part of the range, in order and without a gap', () => {
    fc.assert(
      fc.property(ranges, speeds, blocks, (range, members, block) => {
        const shares = shareOut(range, members, block).ranges;
        expect(shares).toHaveLength(members.length);
        let next = range.first;
        for (const { first, last } of shares) {
          expect(first).toBe(next);
          expect(last).toBeGreaterThanOrEqual(first);
          next = last;
        }
        expect(next).toBe(range.last);
      }),
      { numRuns: 1000 },
    );
  });

  test('cuts only between blocks', () => {
    fc.assert(
      fc.property(ranges, speeds, blocks, (range, members, block) => {
        for (const { first } of shareOut(range, members, block).ranges) {
          if (first !== range.first && first !== range.last) expect(first % block).toBe(0);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('predicts when the last member is done', () => {
    fc.assert(
      fc.property(ranges, speeds, blocks, (range, members, block) => {
        const { ranges: shares, seconds } = shareOut(range, members, block);
        const times = members.map((member, index) => {
          const share = shares[index] ?? range;
          return secondsOf(member, blocksIn(share, block), block);
        });
        expect(seconds).toBeCloseTo(Math.max(...times), 9);
      }),
      { numRuns: 1000 },
    );
  });

  test('is done as early as with any other division', () => {
    const few = fc.array(speed, { minLength: 1, maxLength: 4 });
    const short = fc
      .tuple(fc.nat({ max: 9 }), fc.integer({ min: 1, max: 9 }))
      .map(([first, length]) => ({ first, last: first + length }));
    fc.assert(
      fc.property(short, few, fc.constantFrom(1, 2, 4), (range, members, block) => {
        const least = leastSeconds(members, blocksIn(range, block), block);
        expect(shareOut(range, members, block).seconds).toBeCloseTo(least, 9);
      }),
      { numRuns: 500 },
    );
  });

  test('follows paces of very different size', () => {
    const paces = [1, 1, 0.5].map((pace) => ({ link: 0, pace }));
    expect(shareOut({ first: 0, last: 8 }, paces)).toEqual({
      ranges: [
        { first: 0, last: 2 },
        { first: 2, last: 4 },
        { first: 4, last: 8 },
      ],
      seconds: 2,
    });
    const slowAndFast = [1, 1e-3].map((pace) => ({ link: 0, pace }));
    expect(shareOut({ first: 3, last: 4 }, slowAndFast).ranges).toEqual([
      { first: 3, last: 3 },
      { first: 3, last: 4 },
    ]);
  });

  test('gives nothing to who would be late with a single block', () => {
    const members = [
      { link: 9, pace: 1e-3 },
      { link: 0, pace: 1 },
    ];
    expect(shareOut({ first: 0, last: 8 }, members)).toMatchObject({ seconds: 8 });
    expect(shareOut({ first: 0, last: 10 }, members).ranges[0]).toEqual({ first: 0, last: 1 });
  });

  test('cuts a range that begins and ends within blocks at the blocks between them', () => {
    const same = { link: 0, pace: 1 };
    expect(shareOut({ first: 3, last: 10 }, [same, same, same], 4).ranges).toEqual([
      { first: 3, last: 4 },
      { first: 4, last: 8 },
      { first: 8, last: 10 },
    ]);
  });
});

describe('a block', () => {
  test('is a power of two, so that a batch has about 16 to 32 of them', () => {
    const sizes = [1, 8, 16, 31, 32, 63, 64, 1024].map((count) => blockOf(count, 1));
    expect(sizes).toEqual([1, 1, 1, 1, 2, 2, 4, 64]);
  });

  test('is small enough for each member to have two', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8192 }),
        fc.integer({ min: 1, max: 1024 }),
        (microBatches, members) => {
          const block = blockOf(microBatches, members);
          const least = Math.max(16, 2 * members);
          expect(Number.isInteger(Math.log2(block))).toBe(true);
          if (microBatches < least) expect(block).toBe(1);
          else {
            expect(microBatches / block).toBeGreaterThanOrEqual(least);
            expect(microBatches / block).toBeLessThan(2 * least);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('shareOutInFewPieces', () => {
  const whole = { first: 0, last: 16 };

  test('cuts between halves where speeds differ by less than can be known', () => {
    const speeds = [
      { link: 0, pace: 1 },
      { link: 0, pace: 1.02 },
      { link: 0, pace: 0.95 },
    ];
    expect(shareOutInFewPieces(whole, speeds.slice(0, 2), 1).ranges).toEqual([
      { first: 0, last: 8 },
      { first: 8, last: 16 },
    ]);
    expect(shareOutInFewPieces(whole, speeds.slice(1), 1).ranges).toEqual([
      { first: 0, last: 8 },
      { first: 8, last: 16 },
    ]);
  });

  test('cuts where the speeds say where they differ by more', () => {
    const speeds = [
      { link: 0, pace: 1 },
      { link: 0, pace: 1.6 },
    ];
    expect(shareOutInFewPieces(whole, speeds, 1).ranges[0]).toEqual({ first: 0, last: 10 });
  });

  test('never takes more than a tenth longer than the best division', () => {
    fc.assert(
      fc.property(ranges, speeds, blocks, (range, members, block) => {
        const best = shareOut(range, members, block);
        const { ranges: shares, seconds } = shareOutInFewPieces(range, members, block);
        expect(seconds).toBeLessThanOrEqual(1.1 * best.seconds);
        expect(shares[0]?.first).toBe(range.first);
        expect(shares.at(-1)?.last).toBe(range.last);
      }),
      { numRuns: 1000 },
    );
  });
});
