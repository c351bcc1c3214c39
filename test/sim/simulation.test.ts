import { describe, expect, test } from 'vitest';
import { batchOf } from '../../src/data/batches.js';
import { added, bits } from '../reduce/fake-sums.js';
import { ReferenceRun } from './fake-model.js';
import { effects, faults, FEWEST } from './faults.js';
import { randomScenario } from './scenario.js';
import { simulate, type SimulatedRun } from './simulator.js';

const SEEDS = 2500;
const PER_TEST = 250;
const seeds = Array.from({ length: SEEDS }, (_, seed) => seed);

/** What is kept of a run; undefined if it failed, which the first tests report. */
type Result = Pick<SimulatedRun, 'outcome' | 'counts'> | undefined;
const results = new Map<number, Result>();

async function resultOf(seed: number): Promise<Result> {
  if (results.has(seed)) return results.get(seed);
  results.set(seed, undefined);
  const { outcome, counts } = await simulate(seed);
  results.set(seed, { outcome, counts });
  return results.get(seed);
}

async function allResults(): Promise<NonNullable<Result>[]> {
  for (const seed of seeds) await resultOf(seed).catch(() => undefined);
  return [...results.values()].filter((result) => result !== undefined);
}

test.each(seeds.filter((seed) => seed % PER_TEST === 0))(
  'whatever happens, the weights are those of one member alone: seeds from %i',
  async (first) => {
    for (const seed of seeds.slice(first, first + PER_TEST)) await resultOf(seed);
  },
);

test('the same seed gives the same run', async () => {
  for (const seed of seeds.slice(0, 20)) {
    const [once, again] = [await simulate(seed), await simulate(seed)];
    expect(once.trace.toString()).toBe(again.trace.toString());
    expect({ ...once, trace: '' }).toEqual({ ...again, trace: '' });
  }
});

describe('the runs above can fail', () => {
  test(`since each goes through ${FEWEST} faults at least`, async () => {
    for (const { counts } of await allResults()) {
      const times = faults.map((fault) => counts.get(fault) ?? 0);
      expect(times.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(FEWEST);
    }
  });

  test.each([...faults, ...effects])('since this happens again and again: %s', async (what) => {
    const seen = (await allResults()).filter(({ counts }) => counts.has(what));
    expect(seen.length).toBeGreaterThan(10);
  });

  test.each(['complete', 'stopped', 'notFinite'])('since some end like this: %s', async (end) => {
    const seen = (await allResults()).filter(({ outcome }) => outcome === end);
    expect(seen.length).toBeGreaterThan(10);
  });

  test('since sums in another order give other weights', () => {
    const scenarios = seeds
      .map(randomScenario)
      .filter(({ plan }) => batchOf(plan, 0).microBatches > 3);
    const same = scenarios.filter((scenario) => {
      const inOrder = new ReferenceRun(scenario, (leaves) => leaves.reduce(added));
      const asIs = new ReferenceRun(scenario);
      return String(bits(inOrder.after(1).weights)) === String(bits(asIs.after(1).weights));
    });
    expect(scenarios.length).toBeGreaterThan(SEEDS / 3);
    expect(same.length).toBeLessThan(scenarios.length / 20);
  });
});
