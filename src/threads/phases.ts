/** Where the time of training goes, in seconds. */
export interface Phases {
  /** Finding the samples of a micro-batch: in memory or in files, and augmenting them. */
  readonly gather: number;
  /** Gradients. */
  readonly compute: number;
  /** Adding gradients of parts of the batch. */
  readonly reduce: number;
  /** The optimizer's step. */
  readonly update: number;
  /** Handing the weights to the connections of remote workers. */
  readonly broadcast: number;
}

const names = ['gather', 'compute', 'reduce', 'update', 'broadcast'] as const;

/** Float64 values of one thread's clock. */
export const CLOCK_VALUES = names.length;

function phasesBy(of: (name: keyof Phases, place: number) => number): Phases {
  return Object.fromEntries(names.map((name, place) => [name, of(name, place)])) as Record<
    keyof Phases,
    number
  >;
}

export const NO_TIME = phasesBy(() => 0);

export function addPhases(one: Phases, other: Phases): Phases {
  return phasesBy((name) => one[name] + other[name]);
}

export function subtractPhases(phases: Phases, before: Phases): Phases {
  return phasesBy((name) => phases[name] - before[name]);
}

export function meanOfThreads(phases: Phases, threads: number): Phases {
  return phasesBy((name) => phases[name] / threads);
}

export function sumOfPhases(phases: Phases): number {
  return names.reduce((sum, name) => sum + phases[name], 0);
}

/** The phases of one step, which add up: what is in none of them is `wait`. In seconds. */
export interface StepPhases extends Phases {
  readonly seconds: number;
  readonly wait: number;
}

/** What a step took on average, of so many that took `seconds`. */
export function stepPhases(total: Phases, seconds: number, steps: number): StepPhases {
  return {
    seconds: seconds / steps,
    ...phasesBy((name) => total[name] / steps),
    wait: (seconds - sumOfPhases(total)) / steps,
  };
}

/** What one thread has spent on each phase so far; in shared memory, written by that thread alone. */
export class PhaseClock {
  readonly #milliseconds: Float64Array;

  constructor(buffer: ArrayBufferLike, place: number) {
    this.#milliseconds = new Float64Array(buffer, place, CLOCK_VALUES);
  }

  /**
   * Adds the time since `since`, as performance.now gave it.
   * @returns the time now
   */
  add(phase: keyof Phases, since: number): number {
    const place = names.indexOf(phase);
    const now = performance.now();
    this.#milliseconds[place] = (this.#milliseconds[place] ?? 0) + now - since;
    return now;
  }

  get phases(): Phases {
    return phasesBy((_, place) => (this.#milliseconds[place] ?? 0) / 1000);
  }
}
