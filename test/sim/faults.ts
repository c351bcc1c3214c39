import type { Dice } from './dice.js';

/** Faults that each run goes through at least. */
export const FEWEST = 5;

/** Faults of workers and of what lies between them and the coordinator. */
const workerFaults = [
  'killed while it computed',
  'killed while it was idle',
  'killed before its answer got through',
  'paused',
  'stuck, and answered later',
  'stuck, and never answered',
  'straggler',
  'messages held up',
  'slow link',
  'connection lost and made again',
  'answer that is falsely not finite',
  'answer repeated',
  'answer to another question',
] as const;

const crashes = [
  'crash between two steps',
  'crash in the middle of a step',
  'crash during a lease',
  'crash during an update',
  'crash during an evaluation',
  'crash while a checkpoint was written',
  'crash while it resumed',
] as const;
export type Crash = (typeof crashes)[number] | 'crash at the very end';

const coordinatorFaults = [
  ...crashes,
  'stopped',
  'stopped and deserted',
  'timer came early',
  'timer came late',
  'coordinator stood still',
] as const;

const diskFaults = [
  'disk full for a while',
  'disk error',
  'checkpoint folder gone',
  'bit flipped in the newest checkpoint',
] as const;

/** Faults that a scenario plans. */
export const plannable = [...workerFaults, ...coordinatorFaults, ...diskFaults] as const;
export type Plannable = (typeof plannable)[number];

/** Faults that others bring with them. */
const furtherFaults = [
  'power failure',
  'torn write',
  'un-synced write lost',
  'crash at the very end',
  'not finite',
] as const;
export const faults = [...plannable, ...furtherFaults] as const;
export type Fault = (typeof faults)[number];

/** What comes of faults, and what makes them matter. */
export const effects = [
  'answer repeated in its step',
  'answer repeated in a later step',
  'answer after its sender had left',
  'everybody gone in the middle of a step',
  'silent',
  'came back as a new member',
  'joined in the middle of a step',
  'joined during a lease',
  'answer overtaken by a later one',
  'stale answer after a pause',
  'given up as stuck',
  'taken back',
  'range given to another member too',
  'spare for its slow link',
  'probed',
  'expelled',
  'resumed after a crash',
  'resumed after a stop',
  'checkpoint before the newest used',
  'ended by the deadline',
  'ended by the budget',
  'refused as too dear',
  'released',
] as const;
export type Effect = (typeof effects)[number];

/** A fault, and the step from which on it happens as soon as it can. */
export interface PlannedFault {
  readonly fault: Plannable;
  readonly step: number;
}

/** The faults of a run: those that are to come, and how often each has really happened. */
export class FaultLog {
  /** The step that the run is at. */
  step = 0;
  readonly counts = new Map<Fault | Effect, number>();
  #planned: readonly PlannedFault[];
  readonly #steps: number;
  readonly #dice: Dice;
  readonly #note: (sentence: string) => void;

  /** @param steps those in which faults may happen */
  constructor(
    { planned, steps }: { readonly planned: readonly PlannedFault[]; readonly steps: number },
    dice: Dice,
    note: (sentence: string) => void,
  ) {
    this.#planned = planned;
    this.#steps = steps;
    this.#dice = dice;
    this.#note = note;
  }

  /** Whether a fault is to happen now that it can. */
  due(fault: Plannable): boolean {
    const due = this.#planned.find((each) => each.fault === fault && each.step <= this.step);
    if (!due) return this.#behind && this.#dice.chance(0.03);
    if (this.#dice.chance(0.4)) return false;
    this.#planned = this.#planned.filter((planned) => planned !== due);
    return true;
  }

  /** Too few faults have happened for the steps that are left. */
  get #behind(): boolean {
    return this.step > 0 && this.total < (FEWEST * (this.step + 1)) / this.#steps;
  }

  happened(what: Fault | Effect): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
    this.#note(`(${what})`);
  }

  /** How many faults have happened. */
  get total(): number {
    return faults.reduce((sum, fault) => sum + (this.counts.get(fault) ?? 0), 0);
  }
}
