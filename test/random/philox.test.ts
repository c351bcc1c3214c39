import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { multiplyHigh, philox, randomWords, streams, type Words } from '../../src/random/philox.js';

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const all = 0xffffffff;

test('philox gives the known answers of Random123', () => {
  const answers: [counter: Words, key: [number, number], expected: Words][] = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [all, all, all, all],
      [all, all],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  for (const [counter, key, expected] of answers) expect(philox(counter, key)).toEqual(expected);
});

test('multiplyHigh gives the high half of the exact product', () => {
  const edges = fc.constantFrom(0, 1, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, all);
  const factor = fc.oneof(word, edges);
  fc.assert(
    fc.property(factor, factor, (a, b) => {
      expect(multiplyHigh(a, b)).toBe(Number((BigInt(a) * BigInt(b)) >> 32n));
    }),
    { numRuns: 5000 },
  );
});

describe('randomWords', () => {
  test('is philox under the seed and the stream, with the index and the part as the counter', () => {
    fc.assert(
      fc.property(word, word, word, (seed, part, index) => {
        for (const stream of ['initialWeights', 'validationSplit', 'epochOrder'] as const) {
          const expected = philox([index, 0, part, 0], [seed, streams[stream]]);
          expect(randomWords(seed, stream, part, index)).toEqual(expected);
        }
      }),
    );
  });

  test('goes on beyond 2^32 blocks', () => {
    const far = randomWords(1, 'epochOrder', 0, 3 * 2 ** 32 + 5);
    expect(far).toEqual(philox([5, 3, 0, 0], [1, streams.epochOrder]));
  });

  test('gives every use a stream of its own', () => {
    const numbers = Object.values(streams);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
