/** Where the time of training goes, in seconds. */
export interface Phases {
  /** Gradients. */
  readonly compute: number;
  /** Adding gradients of parts of the batch. */
  readonly reduce: number;
  /** The optimizer's step, for which everybody waits. */
  readonly update: number;
}

export const NO_TIME: Phases = { compute: 0, reduce: 0, update: 0 };

export function addPhases(one: Phases, other: Phases): Phases {
  return {
    compute: one.compute + other.compute,
    reduce: one.reduce + other.reduce,
    update: one.update + other.update,
  };
}

export function subtractPhases({ compute, reduce, update }: Phases, before: Phases): Phases {
  return {
    compute: compute - before.compute,
    reduce: reduce - before.reduce,
    update: update - before.update,
  };
}

/** The phases of one step, which add up: what is in none of them is `wait`. In seconds. */
export interface StepPhases extends Phases {
  readonly seconds: number;
  readonly wait: number;
}

/** What a step took on average, of so many that took `seconds`. */
export function stepPhases(total: Phases, seconds: number, steps: number): StepPhases {
  const { compute, reduce, update } = total;
  return {
    seconds: seconds / steps,
    compute: compute / steps,
    wait: (seconds - compute - reduce - update) / steps,
    reduce: reduce / steps,
    update: update / steps,
  };
}

const places: Readonly<Record<keyof Phases, number>> = { compute: 0, reduce: 1, update: 2 };
/** Float64 values of one thread's clock. */
export const CLOCK_VALUES = 3;

/** What one thread has spent on each phase so far; in shared memory, written by that thread alone. */
export class PhaseClock {
  readonly #milliseconds: Float64Array;

  constructor(buffer: ArrayBufferLike, place: number) {
    this.#milliseconds = new Float64Array(buffer, place, CLOCK_VALUES);
  }

  /** Adds the time since `since`, as performance.now gave it. */
  add(phase: keyof Phases, since: number): void {
    const place = places[phase];
    this.#milliseconds[place] = (this.#milliseconds[place] ?? 0) + performance.now() - since;
  }

  get phases(): Phases {
    const [compute = 0, reduce = 0, update = 0] = this.#milliseconds;
    return { compute: compute / 1000, reduce: reduce / 1000, update: update / 1000 };
  }
}
