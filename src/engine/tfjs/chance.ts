import { randomWords } from '../../random/philox.js';
import type { Chance } from '../chance.js';

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
