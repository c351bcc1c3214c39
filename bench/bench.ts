import { tokenFor } from '../coordinator/addresses.js';
import type { BenchConfig } from '../src/config/bench-options.js';
import { thisMachine } from './machine.js';
import { measure, type Measurement, measureRoughly } from './measure.js';
import { comparisonsOf, keyOf, roundsOf, stepsIn } from './plan.js';
import { type BenchReport, compareWeights, tableOf } from './results.js';
import type { RunListeners } from './run.js';

export interface BenchListeners extends RunListeners {
  /** A run is over; `round` counts from 1. */
  readonly onRun: (round: number, measurement: Measurement) => void;
}

/** Steps of a run that time ends. */
const ENDLESS = 1e8;

/**
 * Measures every configuration once in each round, and compares them.
 * @throws DtrainError USAGE, WORKER_FAILED and what a training can fail with
 */
export async function runBench(
  settings: BenchConfig,
  listeners: BenchListeners,
): Promise<BenchReport> {
  const date = new Date().toISOString();
  const config = { ...settings, token: settings.token ?? tokenFor(settings.host) };
  const machine = await thisMachine();
  const steps = await stepsOfBatches(config, listeners);
  const comparisons = comparisonsOf(config, (batch) => steps.get(batch) ?? 1);
  const measured = new Map<string, Measurement[]>();
  let last: Measurement | undefined;
  const rounds = roundsOf(comparisons, config.runs);
  const configurations = rounds[0]?.length ?? 0;
  listeners.onNotice(`Configurations to measure: ${configurations}; runs of each: ${config.runs}.`);
  let joinedRuns = rounds.flat().filter(({ kind }) => kind === 'joined').length;
  for (const [index, round] of rounds.entries()) {
    for (const configuration of round) {
      if (configuration.kind === 'joined') joinedRuns -= 1;
      last = await measure(config, { configuration, comeBack: joinedRuns > 0 }, listeners);
      const key = keyOf(configuration);
      measured.set(key, [...(measured.get(key) ?? []), last]);
      listeners.onRun(index + 1, last);
    }
  }
  const { model, optimizer, lr, seed, runs } = config;
  return {
    date,
    machine,
    engine: last?.engine ?? '',
    engineNote: last?.engineNote ?? '',
    dataset: last?.dataset ?? '',
    settings: { model, optimizer, lr, seed, runs },
    tables: comparisons.map((comparison) => tableOf(comparison, measured)),
    weights: compareWeights(measured),
  };
}

/** The steps to count, for each batch: as many as one worker takes in the wanted time. */
async function stepsOfBatches(
  config: BenchConfig,
  listeners: BenchListeners,
): Promise<Map<number, number>> {
  const { batch: batches, steps, seconds } = config;
  const [kind = 'threads'] = config.kinds;
  const found = new Map<number, number>();
  for (const batch of batches) {
    if (steps !== null) {
      found.set(batch, steps);
      continue;
    }
    const endless = { kind, workers: 1, batch, steps: ENDLESS, warmUpSteps: ENDLESS };
    const rate = await measureRoughly(config, endless, seconds / 3, listeners);
    found.set(batch, stepsIn(seconds, rate, batch));
  }
  return found;
}
