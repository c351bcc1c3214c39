/** Numbers in [0, 1) from a seed, by Tommy Ettinger's mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` values between -limit and limit that float32 holds exactly, so that no input is rounded. */
export function randomValues(next: () => number, count: number, limit: number): Float64Array {
  return Float64Array.from({ length: count }, () => Math.fround((2 * next() - 1) * limit));
}
