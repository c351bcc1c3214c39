import type { MicroBatchRange } from '../../coordinator/ranges.js';
import { check } from './check.js';
import type { Answer } from './members.js';

/** What becomes of answers: each is taken or discarded, at once, and only what was asked is taken. */
export class AuditedAnswers {
  /** The answer that the event under way has brought, until the core has dealt with it. */
  #open: Answer | undefined;
  #countable = false;

  bring(answer: Answer): void {
    this.#open = answer;
    this.#countable = false;
  }

  /** It may be counted: somebody was asked for it, and it can be believed. */
  allow(): void {
    this.#countable = true;
  }

  /** @param count counts a range in the step */
  reduce(answer: Answer, range: MicroBatchRange, count: () => void): void {
    this.#deal(answer, 'takes');
    check(sameRange(answer.range, range), 'pieces of another range');
    count();
    check(this.#countable, 'pieces that nobody was asked for, or cannot be believed');
  }

  discard(answer: Answer): void {
    this.#deal(answer, 'discards');
  }

  settle(): void {
    check(this.#open === undefined, 'an answer was neither taken nor discarded');
  }

  #deal(answer: Answer, what: string): void {
    check(answer === this.#open, `${what} pieces that nobody has just sent`);
    this.#open = undefined;
  }
}

export function sameRange(one: MicroBatchRange, other: MicroBatchRange): boolean {
  return one.first === other.first && one.last === other.last;
}
