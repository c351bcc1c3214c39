import type { Micros } from '../src/cost/money.js';
import type { Prediction } from './prediction.js';

/** What a choice obeys. */
export interface Wishes {
  /** The most that the run may cost. */
  readonly budget: Micros | null;
  /** Seconds from the command to the end of the run. */
  readonly deadline: number | null;
}

/**
 * The predictions that no other one beats in time and cost both: the Pareto front. Where there are
 * no prices, worker-seconds stand for the cost.
 */
export function paretoFront(predictions: readonly Prediction[]): Set<Prediction> {
  const front = new Set<Prediction>();
  let least = Infinity;
  const bySpeed = predictions.toSorted(
    (one, other) => one.seconds - other.seconds || expense(one) - expense(other),
  );
  for (const prediction of bySpeed) {
    if (expense(prediction) >= least) continue;
    least = expense(prediction);
    front.add(prediction);
  }
  return front;
}

/**
 * The cheapest that meets a deadline (and the budget), the fastest within a budget; undefined if
 * none does. Without wishes, the fastest.
 */
export function choose(
  predictions: readonly Prediction[],
  { budget, deadline }: Wishes,
): Prediction | undefined {
  const possible = predictions.filter(
    ({ seconds, cost }) =>
      (deadline === null || seconds <= deadline) &&
      (budget === null || (cost !== undefined && cost <= budget)),
  );
  const [first, second] = deadline === null ? [speed, expense] : [expense, speed];
  return possible.toSorted(
    (one, other) => first(one) - first(other) || second(one) - second(other),
  )[0];
}

/** What a prediction costs: money, or worker-seconds if no price is known. */
export function expense({ cost, workerSeconds }: Prediction): number {
  return cost === undefined ? workerSeconds : Number(cost);
}

function speed({ seconds }: Prediction): number {
  return seconds;
}
