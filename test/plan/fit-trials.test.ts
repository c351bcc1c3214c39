import { expect, test } from 'vitest';
import { fitTrials } from '../../plan/fit-trials.js';
import { predictStep, slowdownOf } from '../../plan/step-model.js';
import type { Trial } from '../../plan/trial-run.js';
import { coordinator, job, worker } from './machines.js';

const cores = 2;
const workers = Array.from({ length: 4 }, () => worker({ sharesCores: true }));

/** Steps of so many workers on the same cores, of which all is known. */
function trial(count: number, contention: number, wait: number): Trial {
  const machines = workers.slice(0, count).map((one) => ({ ...one, contention }));
  const step = predictStep(machines, { ...coordinator, cores, waits: [] }, 64, job.parameters);
  const slowdown = slowdownOf({ sharesCores: true, contention }, { cores }, count);
  return {
    seconds: step.seconds + wait,
    done: step.shares.map((microBatches, index) => ({
      worker: index,
      shares: 1,
      microBatches,
      own: microBatches * 1e-4 * slowdown,
    })),
  };
}

test('what slows workers down together, and what they wait, come out of steps they took', () => {
  const trials = [trial(1, 1.5, 1e-3), trial(2, 1.5, 2e-3), trial(4, 1.5, 3e-3)];
  const { contention, waits } = fitTrials(trials, workers, { ...coordinator, cores }, job);
  expect(contention).toBeCloseTo(1.5, 8);
  expect(waits.map((wait) => wait.workers)).toEqual([1, 2, 4]);
  for (const [index, seconds] of [1e-3, 2e-3, 3e-3].entries()) {
    expect(waits[index]?.seconds).toBeCloseTo(seconds, 8);
  }
});

test('the steps of a trial are predicted as they were, whatever slowed its workers down', () => {
  const trials = [trial(2, 1.9, 1e-3), trial(4, 1.2, 0)];
  const { contention, waits } = fitTrials(trials, workers, { ...coordinator, cores }, job);
  for (const { seconds, done } of trials) {
    const machines = done.map(() => worker({ sharesCores: true, contention }));
    const again = predictStep(machines, { ...coordinator, cores, waits }, 64, job.parameters);
    expect(again.seconds).toBeCloseTo(seconds, 8);
  }
});

test('workers on machines of their own do not slow each other down', () => {
  const { contention } = fitTrials(
    [trial(2, 3, 0)],
    workers.map((one) => ({ ...one, sharesCores: false })),
    { ...coordinator, cores },
    job,
  );
  expect(contention).toBe(1);
});
