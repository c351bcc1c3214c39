import { type Cell, csvLines } from '../src/report/csv.js';
import { formatAmount } from '../src/cost/money.js';
import type { Plan } from './plan.js';
import type { Prediction } from './prediction.js';

type Column = readonly [name: string, of: (prediction: Prediction, plan: Plan) => Cell];

/** The columns; times in seconds, shares of 1. */
const columns: readonly Column[] = [
  ['fleet', ({ fleet }) => fleet],
  ['threads', ({ threads }) => threads],
  ['workers', ({ workers }) => workers],
  ['spares', ({ spares }) => spares],
  ['step_seconds', ({ step }) => step?.seconds ?? null],
  ['step_compute', ({ step }) => step?.compute ?? null],
  ['step_link', ({ step }) => step?.link ?? null],
  ['step_serial', ({ step }) => step?.serial ?? null],
  ['samples_per_second', ({ samplesPerSecond }) => samplesPerSecond],
  ['train_seconds', ({ trainSeconds }) => trainSeconds],
  ['seconds', ({ seconds }) => seconds],
  ['worker_seconds', ({ workerSeconds }) => workerSeconds],
  ['cost', ({ cost }) => (cost === undefined ? null : formatAmount(cost))],
  ['currency', (_, { currency }) => currency],
  ['efficiency', ({ efficiency }) => efficiency],
  ['limit', ({ limit }) => limit],
  ['pareto', (prediction, { front }) => (front.has(prediction) ? 1 : 0)],
  ['chosen', (prediction, { choice }) => (prediction === choice ? 1 : 0)],
  ['source', (_, { source }) => source],
];

/** A plan as comma-separated values, a row for each fleet. */
export function planCsv(plan: Plan): string[] {
  const rows = plan.predictions.map((prediction) => columns.map(([, of]) => of(prediction, plan)));
  return csvLines([columns.map(([name]) => name), ...rows]);
}
