import type { CoreOptions } from '../../coordinator/core.js';
import { policies } from '../../src/config/types.js';
import type { Price } from '../../src/cost/price.js';
import { type BatchPlan, microBatchesOf } from '../../src/data/batches.js';
import { Dice } from './dice.js';
import { plannable, type PlannedFault } from './faults.js';

/** A machine on which a remote worker runs. */
export interface Machine {
  readonly name: string;
  readonly threads: number;
  /** Micro-batches a second. */
  readonly rate: number;
  /** Seconds that a message takes, on average. */
  readonly delay: number;
  /** When it joins first, in seconds from the coordinator's start. */
  readonly joinsAt: number;
  readonly price: Price | null;
}

/** Everything that a simulated run follows from. */
export interface Scenario {
  readonly seed: number;
  readonly plan: BatchPlan;
  readonly totalSteps: number;
  readonly planned: readonly PlannedFault[];
  /** The step whose update is not finite, and the micro-batch that is to blame, if one is. */
  readonly notFinite: { readonly step: number; readonly leaf: number | undefined } | undefined;
  /** Nobody resumes the run once it was stopped. */
  readonly stopIsFinal: boolean;
}

/** What one life of the coordinator, from its start to its end or its crash, is started with. */
export interface Setup extends Pick<
  CoreOptions,
  'startWith' | 'longestLease' | 'saveEvery' | 'fleet'
> {
  /** Micro-batches a second of the coordinator's own threads, if they compute. */
  readonly localRate: number | undefined;
  readonly machines: readonly Machine[];
  /** What the coordinator's clock shows at its start. */
  readonly clockStart: number;
  /** The clock is too coarse to see how long a range takes. */
  readonly coarseClock: boolean;
  /** Seconds that the disk takes for an operation, on average. */
  readonly diskDelay: number;
  /** Seconds from its start after which the run must be over, if it must. */
  readonly deadline: number | undefined;
  /** Micro-units that it may cost, if there is a limit. */
  readonly budget: bigint | undefined;
}

/** Faults of a few kinds at a time meet in ways in which faults of all kinds hardly do. */
const FEWEST_KINDS = 2;
const MOST_KINDS = 15;

export function randomScenario(seed: number): Scenario {
  const dice = new Dice(seed, 1);
  const batch = dice.whole(1, 8 * (dice.chance(0.2) ? 40 : 10));
  const plan = { samples: dice.whole(1, 8 * batch), batch };
  const totalSteps = dice.whole(...dice.pick<[number, number]>([1, 20], [10, 40], [30, 100]));
  const notFiniteStep = dice.chance(0.08) ? dice.whole(0, totalSteps - 1) : undefined;
  const steps = notFiniteStep ?? totalSteps;
  const kinds = Array.from({ length: dice.whole(FEWEST_KINDS, MOST_KINDS) }, () =>
    dice.pick(...plannable),
  );
  const planned = Array.from({ length: dice.whole(10, 20) + Math.floor(steps / 4) }, () => ({
    fault: dice.pick(...kinds),
    step: dice.whole(0, 0.8 * steps),
  }));
  return {
    seed,
    plan,
    totalSteps,
    planned: planned.flatMap((fault) =>
      // It takes a crash to see it.
      fault.fault === 'bit flipped in the newest checkpoint'
        ? [fault, { fault: 'crash in the middle of a step', step: fault.step + 1 } as const]
        : [fault],
    ),
    notFinite:
      notFiniteStep === undefined
        ? undefined
        : { step: notFiniteStep, leaf: dice.chance(0.5) ? 0 : undefined },
    stopIsFinal: dice.chance(0.3),
  };
}

/** @param life which one of the run, from 0 */
export function randomSetup({ seed }: Scenario, life: number): Setup {
  const dice = new Dice(seed, 2 + life);
  const money = new Dice(seed, 1_000_000 + life);
  const local = dice.chance(0.6);
  const machines = Array.from(
    { length: dice.whole(local ? 0 : 1, dice.chance(0.05) ? 20 : 5) },
    (_, index) => ({
      name: `machine-${index}`,
      threads: dice.whole(1, 8),
      rate: dice.scale(3, 1000),
      delay: dice.between(0.0005, 0.05),
      joinsAt: dice.chance(0.6) ? 0 : dice.between(0, dice.chance(0.1) ? 20 : 2),
      price: randomPrice(money),
    }),
  );
  const startWith = dice.chance(0.5) ? dice.whole(0, machines.length) : 0;
  // The coordinator's own machine costs money, and nobody waits for a worker that is too dear.
  const budget =
    local && money.chance(0.3) ? BigInt(Math.round(money.scale(500, 200_000))) : undefined;
  return {
    startWith: budget === undefined ? startWith : 0,
    longestLease: dice.whole(1, 20),
    saveEvery: dice.chance(0.5) ? { steps: dice.whole(1, 8) } : { seconds: dice.scale(0.01, 10) },
    localRate: local ? dice.scale(10, 1000) : undefined,
    machines,
    clockStart: dice.whole(0, 1_000_000),
    coarseClock: dice.chance(0.1),
    diskDelay: dice.scale(0.0001, 0.1),
    deadline: dice.chance(0.15) ? dice.scale(0.3, 60) : undefined,
    budget,
    fleet: money.chance(0.4)
      ? { policy: money.pick(...policies), releaseIdle: money.chance(0.5) }
      : undefined,
  };
}

function randomPrice(dice: Dice): Price {
  return {
    perHour: BigInt(dice.chance(0.1) ? 0 : dice.whole(1, 5_000_000)),
    currency: 'USD',
    minimumSeconds: dice.chance(0.2) ? dice.whole(1, 60) : 0,
    perGigabyte: BigInt(dice.chance(0.2) ? dice.whole(1, 1_000_000) : 0),
  };
}

/**
 * Seconds without progress that are too many once all faults are over: a step takes twice what its
 * slowest member takes for all of it at most, since a range may first have gone to the wrong one.
 */
export function patience({ plan }: Scenario, { machines, localRate }: Setup): number {
  const microBatches = microBatchesOf(plan.batch);
  const alone = machines.map(({ rate, delay }) => (1.5 * microBatches) / rate + 10 * delay);
  if (localRate !== undefined) alone.push((1.5 * microBatches) / localRate);
  return 2 + 2 * Math.max(...alone);
}
