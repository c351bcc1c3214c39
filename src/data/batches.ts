import { LANES } from '../engine/ir/types.js';

/** The batch of one step. */
export interface Batch {
  /** Both from 0. */
  readonly epoch: number;
  /** Place in the epoch's order of the batch's first sample. */
  readonly first: number;
  readonly samples: number;
  readonly microBatches: number;
}

/** How an epoch is cut: every sample once, the last batch short if it must be. */
export interface BatchPlan {
  /** Samples in an epoch. */
  readonly samples: number;
  /** Samples in a full (global) batch. */
  readonly batch: number;
}

export function stepsPerEpoch({ samples, batch }: BatchPlan): number {
  return Math.ceil(samples / batch);
}

/** The batch of a step, counted from 0 over all epochs. */
export function batchOf(plan: BatchPlan, step: number): Batch {
  const steps = stepsPerEpoch(plan);
  const epoch = Math.floor(step / steps);
  const first = (step - epoch * steps) * plan.batch;
  const samples = Math.min(plan.batch, plan.samples - first);
  return { epoch, first, samples, microBatches: microBatchesOf(samples) };
}

/** Samples in the micro-batches [first, last) of a batch. */
export function samplesOf(batch: Batch, range: { first: number; last: number }): number {
  return Math.min(range.last * LANES, batch.samples) - range.first * LANES;
}

/** Micro-batches of so many samples; the last one may be short. */
export function microBatchesOf(samples: number): number {
  return Math.ceil(samples / LANES);
}
