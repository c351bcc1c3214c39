import { reasonOf } from '../../src/errors.js';
import type { Parts } from './life.js';
import { simulate } from './simulator.js';

const SEEDS = 500;

/**
 * What the simulation says about broken parts, from the first seed whose objection is as expected;
 * else the first lines of all objections.
 */
export async function objectionTo(parts: Partial<Parts>, expected: RegExp): Promise<string> {
  const others: string[] = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    try {
      await simulate(seed, parts);
    } catch (error) {
      const objection = reasonOf(error);
      if (expected.test(objection)) return objection;
      others.push(objection.split('\n', 1).join());
    }
  }
  return others.join('\n');
}
