import type { Micros } from '../src/cost/money.js';
import { leastCost, type Price } from '../src/cost/price.js';
import type { LimitName } from '../src/events.js';
import type { Ledger } from './ledger.js';
import { Recent } from './recent.js';

/** What ends a run before its last step. All times are seconds of the core's clock. */
export interface Limits {
  /** When the run must be over; Infinity: whenever it is. */
  readonly deadline: number;
  /** The most that the run may cost; null: whatever it does. */
  readonly budget: Micros | null;
  /** On the validation samples, of 1; null: the best there is. */
  readonly targetAccuracy: number | null;
  /** Micro-batches whose gradients take the local threads as long as an evaluation. */
  readonly evaluation: number;
}

/** Seconds that it takes to write everything down at the end. */
const WRITING = 0.2;

/** First steps, or leases of them, that say little about how long an evaluation takes. */
const COLD = 5;

/** The least time, and the part of what is left, after which the money's end is looked up again. */
const LOOK = { seconds: 0.05, part: 0.05 };

/** Until when money lasts is found to so many seconds, and looked for from so near to so far. */
const SEARCH = { precision: 0.005, first: 0.05, most: 1e7 };

/**
 * Says when a run must end. What follows its last step, an evaluation and some writing, takes time
 * and money too, so steps end before the limits by as much.
 */
export class RunEnd {
  readonly #limits: Limits | undefined;
  readonly #ledger: Pick<Ledger, 'spent'> | undefined;
  readonly #steps = new Recent();
  #measured = 0;
  #evaluation: number | undefined;
  #money = { at: Infinity, lookAt: -Infinity };

  constructor(limits: Limits | undefined, ledger: Pick<Ledger, 'spent'> | undefined) {
    this.#limits = limits;
    this.#ledger = ledger;
  }

  /** @param seconds of a step, on average */
  measureSteps(seconds: number): void {
    this.#steps.add(seconds);
    this.#measured += 1;
  }

  /** The slowest one counts: the last one must not take longer than what is left for it. */
  measureEvaluation(seconds: number): void {
    this.#evaluation = Math.max(seconds, this.#evaluation ?? 0);
  }

  /** Somebody has come or gone. */
  membersChanged(): void {
    this.#money.lookAt = -Infinity;
  }

  /** The first limit, and when the run must have taken its last step for it. */
  next(now: number, pace: number | undefined): { at: number; limit: LimitName } {
    const { deadline = Infinity } = this.#limits ?? {};
    const money = this.#moneyEnd(now);
    const [at, limit] =
      money < deadline ? ([money, 'budget'] as const) : ([deadline, 'deadline'] as const);
    return { at: at - this.#closing(pace), limit };
  }

  /**
   * The limit that leaves no room for another step, if one does.
   * @param pace seconds that the local threads take for a micro-batch, if that is known
   */
  reached(now: number, pace: number | undefined): LimitName | undefined {
    const { at, limit } = this.next(now, pace);
    const step = this.#steps.typical ?? 0;
    if (now >= at || now + step > at) return limit;
    // What is sent costs as well, and only shows once it is sent.
    return this.#isAffordable(now, step + this.#closing(pace)) ? undefined : 'budget';
  }

  /** The steps that there is still room for; Infinity if nobody knows. */
  room(now: number, pace: number | undefined): number {
    const { at } = this.next(now, pace);
    const step = this.#steps.typical;
    return step === undefined || step === 0 ? Infinity : Math.floor((at - now) / step);
  }

  /** Seconds and micro-units that are left for steps; Infinity if there is no such limit. */
  left(now: number, pace: number | undefined): { seconds: number; money: number } {
    const { deadline = Infinity, budget = null } = this.#limits ?? {};
    const closing = this.#closing(pace);
    const money = budget === null ? Infinity : Number(budget - this.#spent(now, closing));
    return { seconds: Math.max(0, deadline - closing - now), money: Math.max(0, money) };
  }

  /** Why nobody at this price may join, if that is so: it has none, or it is dearer than what is left. */
  objection(price: Price | null, now: number): 'unpriced' | 'dear' | undefined {
    const { budget = null } = this.#limits ?? {};
    if (budget === null) return undefined;
    if (price === null) return 'unpriced';
    return this.#spent(now, 0) + leastCost(price) > budget ? 'dear' : undefined;
  }

  #spent(now: number, more: number): Micros {
    return this.#ledger?.spent(now, more) ?? 0n;
  }

  #isAffordable(now: number, seconds: number): boolean {
    const { budget = null } = this.#limits ?? {};
    return budget === null || this.#spent(now, seconds) <= budget;
  }

  /** Whether an accuracy on the validation samples is all that was wanted. */
  isEnough(accuracy: number | undefined): boolean {
    const target = this.#limits?.targetAccuracy ?? null;
    return target !== null && accuracy !== undefined && accuracy >= target;
  }

  #closing(pace: number | undefined): number {
    if (!this.#limits) return 0;
    const guess = this.#measured < COLD ? 0 : this.#limits.evaluation * (pace ?? 0);
    return WRITING + (this.#evaluation ?? guess);
  }

  /** When the money is used up, whoever is there staying. */
  #moneyEnd(now: number): number {
    const { budget = null } = this.#limits ?? {};
    if (budget === null || now < this.#money.lookAt) return this.#money.at;
    const enough = (seconds: number): boolean => this.#isAffordable(now, seconds);
    let [least, most] = [0, SEARCH.first];
    if (enough(SEARCH.most)) [least, most] = [Infinity, Infinity];
    while (most < SEARCH.most && enough(most)) [least, most] = [most, 2 * most];
    while (most - least > SEARCH.precision) {
      const middle = (least + most) / 2;
      if (enough(middle)) least = middle;
      else most = middle;
    }
    const left = least;
    const lookAt = now + Math.max(LOOK.seconds, Math.min(left, 1e6) * LOOK.part);
    this.#money = { at: now + left, lookAt };
    return this.#money.at;
  }
}
