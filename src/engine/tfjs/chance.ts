import { randomWords } from '../../random/philox.js';

/** What the random numbers of a call depend on. */
export interface Chance {
  /** The run's. */
  readonly seed: number;
  readonly step: number;
  /** The first of the call's samples in the step's batch. */
  readonly first: number;
}

/** More than the random operations of one call. */
const DRAWS = 2 ** 20;

/**
 * Runs `work`, in which TensorFlow.js draws what it draws: its random operations start from
 * Math.random, which chance decides meanwhile.
 */
export function withChance<T>({ seed, step, first }: Chance, work: () => T): T {
  const { random } = Math;
  let index = first * DRAWS;
  Math.random = () => (randomWords(seed, 'tensorflow', step, index++)[0] + 0.5) / 2 ** 32;
  try {
    return work();
  } finally {
    Math.random = random;
  }
}
