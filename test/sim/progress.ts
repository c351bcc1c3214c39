import type { Clock } from '../../plan/simulation/clock.js';

/** Watches that a run goes on, as soon as nothing keeps it from going on. */
export class Progress {
  /** Seconds that may go by without any, once all faults are over. */
  patience = Infinity;
  readonly #clock: Clock;
  #since = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  moved(): void {
    this.#since = Math.max(this.#since, this.#clock.now);
  }

  /** A fault that is over at `until` keeps the run from going on, perhaps. */
  troubled(until: number): void {
    this.#since = Math.max(this.#since, until);
  }

  check(): void {
    const seconds = this.#clock.now - this.#since;
    if (seconds <= this.patience) return;
    throw new Error(`no progress for ${seconds.toFixed(1)} s, and all faults are over`);
  }
}
