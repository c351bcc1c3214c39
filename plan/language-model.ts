import { type Micros, share } from '../src/cost/money.js';
import type { Price } from '../src/cost/price.js';
import { countsUpTo } from './fleets.js';
import type { Prediction } from './prediction.js';

/** The training of a transformer language model, and the workers that it is to run on. */
export interface LanguageModelJob {
  readonly parameters: number;
  readonly tokens: number;
  /** What one worker is said to do at most. */
  readonly flopsPerWorker: number;
  /** The share of it that training gets. */
  readonly utilisation: number;
  readonly workers: number;
  readonly price: Price | null;
}

/**
 * Floating-point operations of training: 6 for each parameter and token, 2 of the forward and 4 of
 * the backward pass (J. Kaplan et al., Scaling laws for neural language models, 2020, section 2.1).
 */
export function trainingFlops({
  parameters,
  tokens,
}: Pick<LanguageModelJob, 'parameters' | 'tokens'>): number {
  return 6 * parameters * tokens;
}

/** Time and cost for 1, 2, 3, 4, 8, … workers. Communication is not in them. */
export function predictLanguageModel(job: LanguageModelJob): Prediction[] {
  const { flopsPerWorker, utilisation, price } = job;
  const workerSeconds = trainingFlops(job) / (flopsPerWorker * utilisation);
  const cost = price ? costOf(price, workerSeconds) : undefined;
  return countsUpTo(job.workers).map((workers) => {
    const seconds = workerSeconds / workers;
    return {
      fleet: workers === 1 ? '1 worker' : `${workers} workers`,
      threads: 0,
      workers,
      spares: 0,
      step: null,
      samplesPerSecond: null,
      trainSeconds: seconds,
      seconds,
      workerSeconds,
      cost,
      efficiency: utilisation,
      limit: 'compute',
    };
  });
}

/** Of all workers' seconds together: to the second for each would say more than is known. */
function costOf({ perHour }: Price, seconds: number): Micros {
  return share(perHour, BigInt(Math.ceil(seconds)), 3_600n);
}
