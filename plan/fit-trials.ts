import { batchOf } from '../src/data/batches.js';
import { contentionOf } from './fit.js';
import type { Coordinator, Job, Machine, Wait } from './machine.js';
import { predictStep } from './step-model.js';
import type { Trial } from './trial-run.js';

interface FittedTrials {
  readonly contention: number;
  readonly waits: readonly Wait[];
}

/**
 * What workers do to each other, from steps that some of them took together: how much longer
 * gradients take on cores that are shared, and what a step takes beyond the rest of the model.
 * @param workers in the order of the trials, each as it was alone
 */
export function fitTrials(
  trials: readonly Trial[],
  workers: readonly Machine[],
  coordinator: Omit<Coordinator, 'waits'>,
  job: Pick<Job, 'samples' | 'batch' | 'parameters'>,
): FittedTrials {
  const { cores } = coordinator;
  const contentions = trials.flatMap(({ done }) => {
    const sharing = done.filter(({ worker }) => workers[worker]?.sharesCores);
    const busy = sharing.reduce((sum, { worker }) => sum + (workers[worker]?.threads ?? 0), 0);
    let [own, alone] = [0, 0];
    for (const { worker, shares, microBatches, own: seconds } of sharing) {
      const { shareSeconds = 0, microBatchSeconds = 0, threads = 1 } = workers[worker] ?? {};
      own += seconds;
      alone += shares * shareSeconds + (microBatches * microBatchSeconds) / threads;
    }
    return busy > 1 && alone > 0 ? [contentionOf(own / alone, busy, cores)] : [];
  });
  // What is more than that with other numbers of workers is in their waits.
  const contention = contentions.length === 0 ? 1 : Math.min(...contentions);
  const slowed = slowedBy(contention, workers);
  const { microBatches } = batchOf(job, 0);
  const waits = trials.map(({ done, seconds }) => {
    const machines = done.flatMap(({ worker }) => slowed[worker] ?? []);
    const rest = predictStep(machines, { ...coordinator, waits: [] }, microBatches, job.parameters);
    return { workers: done.length, seconds: Math.max(0, seconds - rest.seconds) };
  });
  return { contention, waits };
}

/** The workers, those on shared cores with what that does to them. */
export function slowedBy(contention: number, workers: readonly Machine[]): Machine[] {
  return workers.map((worker) => (worker.sharesCores ? { ...worker, contention } : worker));
}
