import type { Measurement } from '../../bench/measure.js';
import { type Comparison, comparisonsOf, type Configuration, keyOf } from '../../bench/plan.js';
import { type BenchReport, compareWeights, type Measured, tableOf } from '../../bench/results.js';

/** Two numbers of workers of both kinds, two rounds. */
const comparisons: readonly Comparison[] = comparisonsOf(
  {
    scaling: ['strong', 'weak'],
    batch: [64],
    kinds: ['threads', 'processes'],
    workers: [1, 2],
    joined: 0,
  },
  () => 100,
);

/** Samples per second in the two rounds. */
const rates: Readonly<Record<string, readonly [number, number]>> = {
  'threads/1/64': [1_000, 2_000],
  'threads/2/64': [1_500, 3_600],
  'threads/2/128': [1_900, 3_900],
  'processes/1/64': [500, 400],
  'processes/2/64': [600, 400],
  'processes/2/128': [900, 700],
};

function measurementOf(configuration: Configuration, round: number): Measurement {
  const { kind, workers, batch } = configuration;
  const samplesPerSecond = rates[`${kind}/${workers}/${batch}`]?.[round] ?? NaN;
  const seconds = batch / samplesPerSecond;
  return {
    configuration,
    samplesPerSecond,
    step: {
      seconds,
      gather: seconds / 16,
      compute: seconds / 2,
      reduce: seconds / 8,
      update: seconds / 8,
      broadcast: seconds / 16,
      wait: seconds / 8,
    },
    bytes: kind === 'threads' ? null : { sent: 1_000 * workers, received: 2_000 * workers },
    spares: 0,
    weightsSha256: `${batch}`.padStart(64, 'a'),
    engine: 'wasm',
    engineNote: '',
    dataset: 'mnist from "here", <there> & elsewhere',
  };
}

export function measured(
  change: (measurement: Measurement) => Measurement = (measurement) => measurement,
): Measured {
  const all = comparisons.flatMap(({ configurations }) => configurations);
  return new Map(
    all.map((one) => [keyOf(one), [0, 1].map((round) => change(measurementOf(one, round)))]),
  );
}

export function reportOf(figures: Measured = measured()): BenchReport {
  return {
    date: '2030-01-02T03:04:05.678Z',
    machine: {
      cores: 4,
      processor: 'Some, "CPU"',
      platform: 'linux x64',
      node: '20.0.0',
      dtrain: '1.2.3',
      commit: null,
      load: 0.4,
    },
    engine: 'wasm',
    engineNote: '',
    dataset: 'mnist from "here", <there> & elsewhere',
    settings: { model: 'lenet5', optimizer: 'sgd', lr: 0.1, seed: 1, runs: 2 },
    tables: comparisons.map((comparison) => tableOf(comparison, figures)),
    weights: compareWeights(figures),
  };
}
