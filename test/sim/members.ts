import type { MemberId } from '../../coordinator/core-messages.js';
import type { MicroBatchRange } from '../../coordinator/ranges.js';
import { batchOf } from '../../src/data/batches.js';
import type { TreeNode } from '../../src/reduce/tree.js';
import { piecesOf, type Values } from '../reduce/fake-sums.js';
import type { MortalClock } from './clock.js';
import type { Dice } from './dice.js';
import { gradientOf } from './fake-model.js';
import type { Machine, Scenario } from './scenario.js';

/** An answer's pieces, each a sum of a subtree. */
export interface Answer {
  readonly step: number;
  readonly range: MicroBatchRange;
  readonly pieces: readonly { readonly node: TreeNode; readonly values: Values }[];
  readonly finite: boolean;
}

/** What a member answers to `assign`, computed with the weights that it has. */
export function answerOf(
  { seed, plan, notFinite }: Scenario,
  step: number,
  range: MicroBatchRange,
  weights: Values,
): Answer {
  const { microBatches } = batchOf(plan, step);
  const pieces = piecesOf(microBatches, range, (leaf) => gradientOf(seed, step, leaf, weights));
  const leaf = step === notFinite?.step ? (notFinite.leaf ?? -1) : -1;
  return { step, range, pieces, finite: leaf < range.first || leaf >= range.last };
}

/** The same answer with values that are not finite. */
export function falsified(answer: Answer): Answer {
  const pieces = answer.pieces.map(({ node, values }) => ({ node, values: values.map(() => NaN) }));
  return { ...answer, pieces, finite: false };
}

/** Seconds that a range takes at a rate, give or take half. */
export function secondsFor(dice: Dice, microBatches: number, rate: number): number {
  return (microBatches / rate) * dice.between(0.5, 1.5);
}

/** A remote worker's process and its connection, on which each side's messages keep their order. */
export class RemoteProcess {
  readonly id: MemberId;
  readonly machine: Machine;
  /** False once it was killed, or its connection is broken. */
  alive = true;
  /** It is at work. */
  busy = false;
  /** Its next answer will be false. */
  confused = false;
  weights: { readonly step: number; readonly values: Values } | undefined;
  /** When it goes on, if it is paused; when its messages go on, if they are held up. */
  pausedUntil = 0;
  heldUntil = 0;
  muteSince = 0;
  /** The coordinator was told that nothing is heard from it. */
  silent = false;
  /** How many times as long as usual its messages take. */
  slowness = 1;
  readonly #clock: MortalClock;
  readonly #dice: Dice;
  #lastArrival = { there: 0, back: 0 };

  constructor(id: MemberId, machine: Machine, clock: MortalClock, dice: Dice) {
    this.id = id;
    this.machine = machine;
    this.#clock = clock;
    this.#dice = dice;
  }

  /** Nothing can be heard from it. */
  get mute(): boolean {
    const { now } = this.#clock;
    return !this.alive || now < this.pausedUntil || now < this.heldUntil;
  }

  /** Does `action` when a message that is sent now arrives. */
  carry(direction: 'there' | 'back', action: () => void): void {
    const delay = this.machine.delay * this.slowness * this.#dice.between(0.2, 5);
    const sent = Math.max(this.#clock.now, this.heldUntil);
    const arrival = Math.max(this.#lastArrival[direction], sent + delay);
    this.#lastArrival[direction] = arrival;
    this.#clock.at(arrival, action);
  }

  /** Does `action` as soon as the process runs; never if it is dead by then. */
  whenRunning(action: () => void): void {
    if (!this.alive) return;
    if (this.#clock.now >= this.pausedUntil) action();
    else {
      this.#clock.at(this.pausedUntil, () => {
        this.whenRunning(action);
      });
    }
  }
}
