/** Four 32-bit words. */
export type Words = readonly [number, number, number, number];

/** What each round multiplies by, what it adds to the keys, and how many rounds there are. */
export const philoxConstants = {
  multipliers: [0xd2511f53, 0xcd9e8d57],
  weyl: [0x9e3779b9, 0xbb67ae85],
  rounds: 10,
} as const;
const {
  multipliers: [MULTIPLIER_0, MULTIPLIER_1],
  weyl: [WEYL_0, WEYL_1],
  rounds: ROUNDS,
} = philoxConstants;

/** The high 32 bits of the 64-bit product of two 32-bit numbers. */
export function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/**
 * Philox4x32-10: four random 32-bit words from a counter of four words and a key of two.
 * Integer arithmetic only, so the same words on every platform.
 * Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
 */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** What random numbers are for; each use draws from a stream of its own. */
export const streams = {
  initialWeights: 1,
  validationSplit: 2,
  epochOrder: 3,
  dropout: 4,
  augmentation: 5,
  tensorflow: 6,
  testSplit: 7,
} as const;
export type Stream = keyof typeof streams;

/** Four words of a use's stream: `part` tells streams of one use apart (an epoch, a layer). */
export function randomWords(seed: number, stream: Stream, part: number, index: number): Words {
  return philox(
    [index >>> 0, Math.floor(index / 0x1_0000_0000) >>> 0, part, 0],
    [seed >>> 0, streams[stream]],
  );
}
