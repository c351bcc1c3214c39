import type { Clock } from '../../plan/simulation/clock.js';

/** Appointments of something that may die: then none of them takes place. */
export class MortalClock {
  readonly #clock: Clock;
  #dead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock.now;
  }

  at(time: number, action: () => void): void {
    this.#clock.at(time, () => {
      if (!this.#dead) action();
    });
  }

  after(seconds: number, action: () => void): void {
    this.at(this.now + seconds, action);
  }

  die(): void {
    this.#dead = true;
  }
}
