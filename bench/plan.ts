import type { BenchConfig, Scaling, WorkerKind } from '../src/config/bench-options.js';

/** What one run trains. */
export interface Configuration {
  readonly kind: WorkerKind;
  readonly workers: number;
  /** Samples in a step, over all workers together. */
  readonly batch: number;
  /** Steps that are counted, and those before them that are not. */
  readonly steps: number;
  readonly warmUpSteps: number;
}

/** Configurations that are compared with each other. All of them take the same number of steps. */
export interface Comparison {
  readonly scaling: Scaling;
  /** Samples in a step: in all (strong), or of each worker (weak). */
  readonly batch: number;
  /** Of each kind, the first has one worker; but all that joined are one configuration, the last. */
  readonly configurations: readonly Configuration[];
}

/** @param stepsOf the steps to count in a run, for a batch on one worker */
export function comparisonsOf(
  { scaling: scalings, batch: batches, kinds, workers: counts, joined }: PlanSettings,
  stepsOf: (batch: number) => number,
): Comparison[] {
  return scalings.flatMap((scaling) =>
    batches.map((batch) => {
      const steps = stepsOf(batch);
      const configurationOf = (kind: WorkerKind, workers: number): Configuration => ({
        kind,
        workers,
        batch: scaling === 'strong' ? batch : batch * workers,
        steps,
        warmUpSteps: warmUpOf(steps),
      });
      const configurations = kinds.flatMap((kind) =>
        counts.map((workers) => configurationOf(kind, workers)),
      );
      if (joined > 0) configurations.push(configurationOf('joined', joined));
      return { scaling, batch, configurations };
    }),
  );
}

type PlanSettings = Pick<BenchConfig, 'scaling' | 'batch' | 'kinds' | 'workers' | 'joined'>;

/** A quarter as many as are counted. */
function warmUpOf(steps: number): number {
  return Math.max(1, Math.ceil(steps / 4));
}

/** The fewest steps that are worth counting. */
const LEAST_STEPS = 10;

/** Steps that take about so long. */
export function stepsIn(seconds: number, samplesPerSecond: number, batch: number): number {
  return Math.max(LEAST_STEPS, Math.round((seconds * samplesPerSecond) / batch));
}

/** Tells configurations apart: one that is part of two comparisons is measured once. */
export function keyOf({ kind, workers, batch, steps }: Configuration): string {
  return [kind, workers, batch, steps].join('/');
}

/**
 * Every configuration once in each round, so that a machine which slows down for a while slows them
 * all. Every second round goes backwards: a steady drift then favours nobody.
 */
export function roundsOf(comparisons: readonly Comparison[], rounds: number): Configuration[][] {
  const all = comparisons.flatMap(({ configurations }) => configurations);
  const different = [...new Map(all.map((one) => [keyOf(one), one])).values()];
  return Array.from({ length: rounds }, (_, round) =>
    round % 2 === 0 ? different : different.toReversed(),
  );
}
