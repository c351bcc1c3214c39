import type { Clock } from './clock.js';

/** The coordinator's main thread, which does one thing after the other, in virtual time. */
export class MainThread {
  readonly #clock: Clock;
  #freeAt = 0;
  #busy = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Seconds for which it was busy so far. */
  get busy(): number {
    return this.#busy;
  }

  /** Keeps it busy. @returns when it is done with that */
  spend(seconds: number): number {
    this.#busy += seconds;
    this.#freeAt = Math.max(this.#freeAt, this.#clock.now) + seconds;
    return this.#freeAt;
  }

  /** Does something that takes so long as soon as it is done with what came before. */
  do(seconds: number, action: () => void): void {
    this.#clock.at(this.spend(seconds), action);
  }
}
