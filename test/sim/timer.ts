import type { MortalClock } from './clock.js';
import type { Dice } from './dice.js';
import type { FaultLog } from './faults.js';
import type { Setup } from './scenario.js';

interface TimerOptions {
  readonly setup: Setup;
  readonly clock: MortalClock;
  readonly dice: Dice;
  readonly faults: FaultLog;
}

/** Seconds by which a timer is late at most. */
const LATEST = 3;
/** No timer comes sooner: a coarse clock must have the time to move on. */
const SOONEST = 0.001;

/** The coordinator's clock, which begins anywhere and may be coarse, and its one timer. */
export class Timer {
  readonly #options: TimerOptions;
  readonly #ring: () => void;
  readonly #started: number;
  #number = 0;

  constructor(options: TimerOptions, ring: () => void) {
    this.#options = options;
    this.#ring = ring;
    this.#started = options.clock.now;
  }

  /** What the coordinator's clock shows. */
  get now(): number {
    const { setup, clock } = this.#options;
    const seconds = clock.now - this.#started;
    return setup.clockStart + (setup.coarseClock ? Math.floor(seconds * 10) / 10 : seconds);
  }

  /** Sets the timer, for what the clock shows then; not the one before any more. */
  set(at: number): void {
    const { clock, dice, faults } = this.#options;
    const number = ++this.#number;
    const seconds = Math.max(SOONEST, at - this.now);
    const early = faults.due('timer came early');
    const late = !early && faults.due('timer came late');
    const shift = early ? -seconds * dice.next() : late ? dice.between(0.1, LATEST) : 0;
    clock.after(Math.max(SOONEST, seconds + shift), () => {
      if (number !== this.#number) return;
      if (early) faults.happened('timer came early');
      if (late) faults.happened('timer came late');
      this.#ring();
    });
  }
}
