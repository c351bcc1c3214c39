import type { MemberId } from '../../coordinator/core-messages.js';
import type { MicroBatchRange } from '../../coordinator/ranges.js';
import { batchOf } from '../../src/data/batches.js';
import { piecesOf, type Values } from '../reduce/fake-sums.js';
import type { Answer } from './audit.js';
import type { Clock } from './clock.js';
import type { Dice } from './dice.js';
import { gradientOf } from './fake-model.js';
import type { Machine, Scenario } from './scenario.js';

/** What a member answers to `assign`, computed with the weights that it has. */
export function answerOf(
  { seed, plan }: Scenario,
  step: number,
  range: MicroBatchRange,
  weights: Values,
): Answer {
  const { microBatches } = batchOf(plan, step);
  const pieces = piecesOf(microBatches, range, (leaf) => gradientOf(seed, step, leaf, weights));
  return { step, range, pieces };
}

/** Seconds that a range takes at a rate, give or take half. */
export function secondsFor(dice: Dice, microBatches: number, rate: number): number {
  return (microBatches / rate) * dice.between(0.5, 1.5);
}

/** A remote worker's process and its connection, on which each side's messages keep their order. */
export class RemoteProcess {
  readonly id: MemberId;
  readonly machine: Machine;
  /** False once it was killed. */
  alive = true;
  weights: { readonly step: number; readonly values: Values } | undefined;
  readonly #clock: Clock;
  readonly #dice: Dice;
  #lastArrival = { there: 0, back: 0 };

  constructor(id: MemberId, machine: Machine, clock: Clock, dice: Dice) {
    this.id = id;
    this.machine = machine;
    this.#clock = clock;
    this.#dice = dice;
  }

  /** Does `action` when a message that is sent now arrives. */
  carry(direction: 'there' | 'back', action: () => void): void {
    const delay = this.machine.delay * this.#dice.between(0.2, 5);
    const arrival = Math.max(this.#lastArrival[direction], this.#clock.now + delay);
    this.#lastArrival[direction] = arrival;
    this.#clock.at(arrival, action);
  }
}
