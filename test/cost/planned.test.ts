import { expect, test } from 'vitest';
import { keptPlan, plannedFor, type SavedPlan } from '../../src/cost/planned.js';

const fleet = { fleet: '2 threads', threads: 2, workers: 0, trainSeconds: 100, seconds: 112 };
const plan: SavedPlan = {
  format: 'dtrain-plan',
  version: 1,
  currency: 'EUR',
  job: { model: 'lenet5', batch: 64, steps: 1_000, startSeconds: 2 },
  fleets: [
    { ...fleet, cost: '0.12', chosen: false },
    { ...fleet, fleet: '2 laptop', threads: 0, workers: 2, cost: '0.20', chosen: false },
    { ...fleet, fleet: '1 laptop + 1 spot', threads: 0, workers: 2, cost: '0.30', chosen: true },
  ],
};

test('a run is compared with what was predicted for a fleet like its own', () => {
  const run = { threads: 2, workers: 0, steps: 1_000 };
  expect(plannedFor(plan, run)).toEqual({
    ...{ fleet: '2 threads', trainSeconds: 100, seconds: 112 },
    ...{ cost: '0.12', currency: 'EUR' },
  });
  expect(plannedFor(plan, { ...run, threads: 0, workers: 2 })?.fleet).toBe('1 laptop + 1 spot');
  expect(plannedFor(plan, { ...run, threads: 1 })).toBeUndefined();
});

test('a run that took fewer steps was to take as much less time, but for its start', () => {
  const half = plannedFor(plan, { threads: 2, workers: 0, steps: 500 });
  expect(half).toMatchObject({ trainSeconds: 50, seconds: 2 + 55, cost: null });
});

test('what is no plan is none', () => {
  expect(keptPlan(JSON.stringify(plan))).toEqual(plan);
  for (const text of [null, '', '{', '[]', JSON.stringify({ ...plan, fleets: 1 })]) {
    expect(keptPlan(text)).toBeUndefined();
  }
});
