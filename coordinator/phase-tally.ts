import {
  addPhases,
  meanOfThreads,
  NO_TIME,
  type Phases,
  subtractPhases,
} from '../src/threads/phases.js';
import type { MemberId } from './core-messages.js';

/**
 * Where the training time goes. In a step that several members share, the one that computes longest
 * counts: the others' time is beside its own. In a lease, threads count by their mean.
 */
export class PhaseTally {
  #total = NO_TIME;
  /** Of the step under way, the longest time of an answer that was used. */
  #longest = 0;
  readonly #last = new Map<MemberId, number>();

  get total(): Phases {
    return this.#total;
  }

  /** A member has answered. @param seconds that it computed */
  answered(member: MemberId, seconds: number): void {
    this.#last.set(member, seconds);
  }

  /** The member's last answer belongs to the step's sum. */
  used(member: MemberId): void {
    this.#longest = Math.max(this.#longest, this.#last.get(member) ?? 0);
  }

  /** @param since when the coordinator began to add pieces, as performance.now gave it */
  reduced(since: number): void {
    this.#add({ ...NO_TIME, reduce: secondsSince(since) });
  }

  /** @param since when the coordinator began with the step's update */
  updated(since: number): void {
    this.#add({ ...NO_TIME, compute: this.#longest, update: secondsSince(since) });
    this.#longest = 0;
  }

  /** The threads took whole steps: what they had spent before and after, added up. */
  leased(before: Phases, after: Phases, threads: number): void {
    this.#add(meanOfThreads(subtractPhases(after, before), threads));
  }

  /** @param since when the coordinator began to send the step's weights */
  broadcast(since: number): void {
    this.#add({ ...NO_TIME, broadcast: secondsSince(since) });
  }

  #add(phases: Phases): void {
    this.#total = addPhases(this.#total, phases);
  }
}

function secondsSince(since: number): number {
  return (performance.now() - since) / 1000;
}
