import { randomWords, type Stream } from './philox.js';

const ROUNDS = 24;
const MULTIPLIER = 0xd2b74407;
/** With fewer bits the network is affine and reaches few of the orders there are. */
const LEAST_BITS = 4;

/**
 * A pseudorandom permutation of [0, count) of which any element can be had without the rest:
 * `permutation(count, …)(i)` is the number in place i. `count` is 1 to 2^31.
 *
 * A variable-width Philox network permutes the next power of two, and numbers outside [0, count)
 * walk on until they are inside. Sources: Mitchell, Stokes, Frank, Holmes 2021, "Bandwidth-optimal
 * random shuffling for GPUs"; cycle walking: Black, Rogaway 2002, "Ciphers with arbitrary finite
 * domains".
 */
export function permutation(
  count: number,
  seed: number,
  stream: Stream,
  part: number,
): (index: number) => number {
  const bits = Math.max(LEAST_BITS, 32 - Math.clz32(count - 1));
  const leftBits = bits >>> 1;
  const rightBits = bits - leftBits;
  const leftMask = 2 ** leftBits - 1;
  const rightMask = 2 ** rightBits - 1;
  const keys = new Uint32Array(ROUNDS);
  for (let block = 0; block * 4 < ROUNDS; block++) {
    keys.set(randomWords(seed, stream, part, block), block * 4);
  }

  const permute = (value: number): number => {
    let left = value >>> rightBits;
    let right = value & rightMask;
    for (let round = 0; round < ROUNDS; round++) {
      // Below 2^48, so a float64 holds it: half of 31 bits at most, times 32 bits.
      const high = Math.floor((MULTIPLIER * left) / 2 ** 32);
      const low = Math.imul(MULTIPLIER, left);
      const next = (high ^ (keys[round] ?? 0) ^ right) & leftMask;
      // The odd bit of an uneven split stays with the right half, as in the paper.
      right = ((low << (rightBits - leftBits)) | (right >>> leftBits)) & rightMask;
      left = next;
    }
    return ((left << rightBits) | right) >>> 0;
  };
  return (index) => {
    let value = permute(index);
    while (value >= count) value = permute(value);
    return value;
  };
}
