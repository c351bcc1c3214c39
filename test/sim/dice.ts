import { randomNumbers } from '../reference/random.js';

/** Random choices that follow from a seed, and from a number if several dice have that seed. */
export class Dice {
  readonly next: () => number;

  constructor(seed: number, number = 0) {
    this.next = randomNumbers(seed ^ Math.imul(number, 0x9e3779b1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** low to high, small as often as large. */
  scale(low: number, high: number): number {
    return low * (high / low) ** this.next();
  }

  /** low to high, both included. */
  whole(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  pick<T>(...choices: readonly T[]): T {
    return choices[this.whole(0, choices.length - 1)] as T;
  }
}
