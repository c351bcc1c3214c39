import { batchOf, type BatchPlan } from '../../src/data/batches.js';
import { referenceSum, unevenValues, type Values } from '../reduce/fake-sums.js';
import { randomNumbers } from '../reference/random.js';

export const WIDTH = 8;

/** What a step changes: the weights, and a state that steps leave to the next, as a momentum. */
export interface Parameters {
  readonly weights: Values;
  readonly state: Values;
}

export function firstParameters(seed: number): Parameters {
  const next = randomNumbers(~seed);
  return { weights: Float32Array.from({ length: WIDTH }, next), state: new Float32Array(WIDTH) };
}

/** The gradient of one micro-batch: float32 values that the weights have a part in. */
export function gradientOf(seed: number, step: number, leaf: number, weights: Values): Values {
  const next = randomNumbers(seed ^ Math.imul(step + 1, 0x9e3779b1) ^ Math.imul(leaf, 0x85ebca6b));
  return unevenValues(next, WIDTH).map((value, index) => value * (1 + (weights[index] ?? NaN)));
}

/** The parameters after a step: one bit more or less in them or in the sum changes them wholly. */
export function updated({ weights, state }: Parameters, sum: Values): Parameters {
  const nextState = mixed(sum, state);
  return { state: nextState, weights: mixed(nextState, weights) };
}

/** Values in [0, 1). */
function mixed(from: Values, into: Values): Values {
  const words = new Uint32Array(from.slice().buffer);
  const before = new Uint32Array(into.slice().buffer);
  return Float32Array.from(words, (word, index) => {
    let mix = Math.imul(word ^ Math.imul(before[index] ?? 0, 0x9e3779b1), 0x85ebca6b);
    mix = Math.imul(mix ^ (mix >>> 15), 0xc2b2ae35);
    return ((mix ^ (mix >>> 16)) >>> 8) / 2 ** 24;
  });
}

/** A run without faults, which one member computes alone. */
export class ReferenceRun {
  readonly #seed: number;
  readonly #plan: BatchPlan;
  readonly #sum: (leaves: readonly Values[]) => Values;
  readonly #after: Parameters[];

  constructor(
    { seed, plan }: { readonly seed: number; readonly plan: BatchPlan },
    sum: (leaves: readonly Values[]) => Values = referenceSum,
  ) {
    this.#seed = seed;
    this.#plan = plan;
    this.#sum = sum;
    this.#after = [firstParameters(seed)];
  }

  after(steps: number): Parameters {
    const known = this.#after[steps];
    if (known) return known;
    const before = this.after(steps - 1);
    const { microBatches } = batchOf(this.#plan, steps - 1);
    const leaves = Array.from({ length: microBatches }, (_, leaf) =>
      gradientOf(this.#seed, steps - 1, leaf, before.weights),
    );
    const after = updated(before, this.#sum(leaves));
    this.#after[steps] = after;
    return after;
  }
}
