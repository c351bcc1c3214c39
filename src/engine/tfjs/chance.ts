import { randomWords } from '../../random/philox.js';

/**
 * Runs `work`, in which TensorFlow.js draws what it draws: its random operations start from
 * Math.random, which the seed and `part` decide meanwhile.
 */
export function withChance<T>(seed: number, part: number, work: () => T): T {
  const { random } = Math;
  let index = 0;
  Math.random = () => (randomWords(seed, 'tensorflow', part, index++)[0] + 0.5) / 2 ** 32;
  try {
    return work();
  } finally {
    Math.random = random;
  }
}
