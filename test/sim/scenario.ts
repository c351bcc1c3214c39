import { type BatchPlan, stepsPerEpoch } from '../../src/data/batches.js';
import { Dice } from './dice.js';

/** A machine on which a remote worker runs; a worker that was killed comes back as a new member. */
export interface Machine {
  readonly threads: number;
  /** Micro-batches a second. */
  readonly rate: number;
  /** Seconds that a message takes, on average. */
  readonly delay: number;
  /** When it joins first, in seconds. */
  readonly joinsAt: number;
}

/** Everything that a simulated run follows from. */
export interface Scenario {
  readonly seed: number;
  readonly plan: BatchPlan;
  readonly totalSteps: number;
  readonly startWith: number;
  readonly longestLease: number;
  /** Micro-batches a second of the coordinator's own threads, if it has any. */
  readonly localRate: number | undefined;
  readonly machines: readonly Machine[];
  /** Workers that are killed at most, so that the run can end. */
  readonly kills: number;
  /** Probabilities: of each assignment, and of each answer. */
  readonly killed: number;
  readonly repeated: number;
  readonly stray: number;
  /** The clock is too coarse to see how long a range takes. */
  readonly coarseClock: boolean;
  /** `stop` comes after so many events. */
  readonly stopAfter: number | undefined;
  /** With the stop, every remote worker goes and none comes back. */
  readonly desertion: boolean;
  /** The step whose update is not finite. */
  readonly notFiniteStep: number | undefined;
}

export function randomScenario(seed: number): Scenario {
  const dice = new Dice(seed);
  const batch = dice.whole(1, 8 * (dice.chance(0.2) ? 40 : 10));
  const plan = { samples: dice.whole(1, 4 * batch), batch };
  const local = dice.chance(0.6);
  const machines = Array.from({ length: dice.whole(local ? 0 : 1, 5) }, () => ({
    threads: dice.whole(1, 8),
    rate: 10 ** dice.between(0.5, 3),
    delay: dice.between(0.0005, 0.05),
    joinsAt: dice.chance(0.6) ? 0 : dice.between(0, 2),
  }));
  const totalSteps = dice.whole(1, Math.min(30, 6 * stepsPerEpoch(plan)));
  const stops = dice.chance(0.3);
  return {
    seed,
    plan,
    totalSteps,
    startWith: dice.whole(0, dice.chance(0.5) ? machines.length : 0),
    longestLease: dice.whole(1, 20),
    localRate: local ? 10 ** dice.between(1, 3) : undefined,
    machines,
    kills: dice.chance(0.2) ? 0 : dice.whole(1, 20),
    killed: dice.between(0, 0.4),
    repeated: dice.between(0, 0.4),
    stray: dice.between(0, 0.2),
    coarseClock: dice.chance(0.1),
    stopAfter: stops ? dice.whole(0, 60) : undefined,
    desertion: stops && dice.chance(0.4),
    notFiniteStep: dice.chance(0.08) ? dice.whole(0, totalSteps - 1) : undefined,
  };
}
