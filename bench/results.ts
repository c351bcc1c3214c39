import type { BenchConfig } from '../src/config/bench-options.js';
import { DtrainError } from '../src/errors.js';
import type { Machine } from './machine.js';
import type { Measurement } from './measure.js';
import { type Comparison, type Configuration, keyOf } from './plan.js';
import { middleOf, type Spread, spreadOf } from './statistics.js';

/** One configuration of a comparison, over all its runs. */
export interface Row extends Configuration {
  readonly runs: number;
  readonly samplesPerSecond: Spread;
  /**
   * Against one worker of the same kind in the same round; of those that joined, against the first
   * configuration.
   */
  readonly speedUp: Spread;
  /** The speed-up's median for each worker; 1 is ideal. */
  readonly efficiency: number;
  /** Of the run in the middle. */
  readonly step: Measurement['step'];
  /** Bytes of a step's messages between coordinator and workers, likewise. */
  readonly bytes: Measurement['bytes'];
  /** Most workers that had no share of the steps, since they would have slowed them down. */
  readonly spares: number;
}

export interface Table extends Omit<Comparison, 'configurations'> {
  readonly rows: readonly Row[];
}

/** Runs that must have ended in the same weights: same batch, same steps, same seed. */
export interface SameWeights {
  readonly batch: number;
  readonly steps: number;
  readonly configurations: number;
  readonly runs: number;
  /** The weights' SHA-256; more than one if the promise was broken. */
  readonly weightsSha256: readonly string[];
}

/** What a benchmark reports. */
export interface BenchReport {
  /** When it began; ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly engine: string;
  readonly engineNote: string;
  readonly dataset: string;
  readonly settings: Pick<BenchConfig, 'model' | 'optimizer' | 'lr' | 'seed' | 'runs'>;
  readonly tables: readonly Table[];
  readonly weights: readonly SameWeights[];
}

/** Measurements by `keyOf` their configuration, in the order of the rounds. */
export type Measured = ReadonlyMap<string, readonly Measurement[]>;

export function tableOf({ scaling, batch, configurations }: Comparison, measured: Measured): Table {
  const rows = configurations.map((configuration) => {
    const single = configurations.find(
      ({ kind, workers }) =>
        configuration.kind === 'joined' || (kind === configuration.kind && workers === 1),
    );
    const alone = single ? (measured.get(keyOf(single)) ?? []) : [];
    return rowOf(configuration, measured.get(keyOf(configuration)) ?? [], alone);
  });
  return { scaling, batch, rows };
}

/** @param alone the runs of one worker, in the same rounds */
function rowOf(
  configuration: Configuration,
  runs: readonly Measurement[],
  alone: readonly Measurement[],
): Row {
  const middle = middleOf(runs, ({ samplesPerSecond }) => samplesPerSecond);
  if (!middle) throw new Error(`${keyOf(configuration)} was not measured.`);
  const rates = runs.map(({ samplesPerSecond }) => samplesPerSecond);
  const speedUp = spreadOf(
    rates.map((rate, round) => rate / (alone[round]?.samplesPerSecond ?? NaN)),
  );
  return {
    ...configuration,
    runs: runs.length,
    samplesPerSecond: spreadOf(rates),
    speedUp,
    efficiency: speedUp.median / configuration.workers,
    step: middle.step,
    bytes: middle.bytes,
    spares: Math.max(...runs.map(({ spares }) => spares)),
  };
}

/** Compares the weights of all runs that must have the same. */
export function compareWeights(measured: Measured): SameWeights[] {
  const groups = new Map<string, Measurement[][]>();
  for (const runs of measured.values()) {
    const [first] = runs;
    if (!first) continue;
    const { batch, steps } = first.configuration;
    const key = `${batch}/${steps}`;
    groups.set(key, [...(groups.get(key) ?? []), [...runs]]);
  }
  const compared = [...groups.values()].map((configurations) => {
    const runs = configurations.flat();
    const { batch = 0, steps = 0 } = runs[0]?.configuration ?? {};
    return {
      batch,
      steps,
      configurations: configurations.length,
      runs: runs.length,
      weightsSha256: [...new Set(runs.map(({ weightsSha256 }) => weightsSha256))],
    };
  });
  return compared.sort((one, other) => one.batch - other.batch || one.steps - other.steps);
}

/** @throws DtrainError WEIGHTS_DIFFER if runs that must have the same weights have not */
export function assertSameWeights({ weights }: Pick<BenchReport, 'weights'>): void {
  const broken = weights.find(({ weightsSha256 }) => weightsSha256.length > 1);
  if (!broken) return;
  const { batch, steps, runs, weightsSha256 } = broken;
  throw new DtrainError(
    'WEIGHTS_DIFFER',
    `${runs} runs of ${steps} steps with batch ${batch} ended in ${weightsSha256.length} different weights (${weightsSha256.map((sum) => sum.slice(0, 12)).join(', ')}): please report this, with the output of dtrain doctor.`,
  );
}
