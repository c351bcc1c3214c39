import { limits } from '../src/protocol/protocol.js';
import { Recent } from './recent.js';

/** A choice stands until the other is better by so much. */
const MARGIN = 0.05;

/**
 * Whether the local threads are better off alone. Alone they take whole steps without a word from
 * the coordinator's main thread; with remote workers each step costs sending, gathering and an
 * update on the main thread, which is measured as what a step takes beyond its prediction.
 * All times are in seconds.
 */
export class FleetChoice {
  readonly #alone = new Recent();
  readonly #overhead = new Recent();
  #together = true;
  #trialAt = 0;
  #trialPause: number = limits.probe.first;

  /** The local threads took steps alone. @param pace seconds for a micro-batch */
  measureAlone(pace: number): void {
    this.#alone.add(pace);
  }

  /** A step was taken together. */
  measureTogether(predicted: number, actual: number): void {
    this.#overhead.add(actual - predicted);
  }

  /** Seconds for a micro-batch that the local threads take alone, once they have been seen. */
  get alone(): number | undefined {
    return this.#alone.typical;
  }

  /** Seconds of a step together. */
  together(predicted: number): number {
    return predicted + Math.max(0, this.#overhead.typical ?? 0);
  }

  /**
   * Whether a step together is predicted to end before one alone. What a step together costs is
   * only seen by taking one, so now and then that is tried.
   */
  decide(predicted: number, alone: number, now: number): boolean {
    const margin = this.#together ? 1 + MARGIN : 1 - MARGIN;
    const better = this.together(predicted) < alone * margin;
    const trial = !this.#together && !better && predicted < alone && now >= this.#trialAt;
    if (this.#together && !better) {
      this.#trialAt = now + this.#trialPause;
      this.#trialPause = Math.min(2 * this.#trialPause, limits.probe.longest);
    } else if (trial) this.#overhead.clear();
    this.#together = better || trial;
    return this.#together;
  }
}
