import { describe, expect, test } from 'vitest';
import { batchOf, stepsPerEpoch } from '../../src/data/batches.js';
import { added, bits } from '../reduce/fake-sums.js';
import { referenceWeights } from './fake-model.js';
import { faults } from './faults.js';
import { randomScenario } from './scenario.js';
import { simulate, type SimulatedRun } from './simulator.js';

const SEEDS = 1000;
const PER_TEST = 100;
const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);

function checkRun(seed: number, run: SimulatedRun): void {
  const scenario = randomScenario(seed);
  const { plan, totalSteps, notFiniteStep } = scenario;
  const { outcome, steps } = run;
  if (outcome === 'notFinite') {
    expect(run.coreStep, `seed ${seed}: the step that was not finite`).toBe(notFiniteStep);
    return;
  }
  const complete = outcome === 'complete';
  if (complete) expect(steps, `seed ${seed}: steps`).toBe(totalSteps);
  const expected = referenceWeights(scenario, steps);
  expect(bits(run.weights), `seed ${seed}: weights`).toEqual(bits(expected));
  const epochs = steps / stepsPerEpoch(plan);
  const evaluations = complete ? Math.ceil(epochs) : Math.floor(epochs);
  const each = Array.from({ length: evaluations }, (_, epoch) => epoch);
  expect(run.evaluated, `seed ${seed}: epochs that were evaluated`).toEqual(each);
}

test.each(seeds.filter((seed) => seed % PER_TEST === 0))(
  'whoever joins, leaves or is killed, the weights are those of one member alone: seeds from %i',
  (first) => {
    for (const seed of seeds.slice(first, first + PER_TEST)) checkRun(seed, simulate(seed));
  },
);

test('the same seed gives the same run', () => {
  for (const seed of seeds.slice(0, 20)) expect(simulate(seed)).toEqual(simulate(seed));
});

describe('the runs above can fail', () => {
  const runs = seeds.flatMap((seed) => {
    try {
      return [simulate(seed)];
    } catch {
      // Reported above.
      return [];
    }
  });

  test.each(faults)('since this happens again and again: %s', (fault) => {
    const times = runs.map((run) => run.faults.get(fault) ?? 0);
    expect(times.filter((count) => count > 0).length).toBeGreaterThan(10);
  });

  test.each(['complete', 'stopped', 'notFinite'])('since some end like this: %s', (outcome) => {
    expect(runs.filter((run) => run.outcome === outcome).length).toBeGreaterThan(10);
  });

  test('since sums in another order give other weights', () => {
    const scenarios = seeds
      .map(randomScenario)
      .filter(({ plan }) => batchOf(plan, 0).microBatches > 3);
    const plain = scenarios.filter((scenario) => {
      const weights = referenceWeights(scenario, 1, (leaves) => leaves.reduce(added));
      return String(bits(weights)) === String(bits(referenceWeights(scenario, 1)));
    });
    expect(scenarios.length).toBeGreaterThan(SEEDS / 3);
    expect(plain.length).toBeLessThan(scenarios.length / 20);
  });
});
