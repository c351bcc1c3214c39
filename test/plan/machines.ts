import type { Price } from '../../src/cost/price.js';
import type { Coordinator, Job, Machine } from '../../plan/machine.js';

/** A coordinator with round costs. */
export const coordinator: Coordinator = {
  cores: 4,
  messageSeconds: 1e-5,
  byteSeconds: 1e-9,
  waits: [],
  addSeconds: 2e-5,
  updateSeconds: 3e-5,
  leaseSeconds: 1e-4,
  leaseThreadSeconds: 5e-5,
  grain: 1,
};

/** Its own threads: 10,000 micro-batches a second each. */
export function threads(count: number, more: Partial<Machine> = {}): Machine {
  return {
    name: 'threads',
    threads: count,
    microBatchSeconds: 1e-4,
    shareSeconds: 0,
    link: null,
    sharesCores: true,
    contention: 1,
    price: null,
    ...more,
  };
}

/** A worker on a machine of its own, as fast with one thread, and 1 ms away over 100 Mbyte/s. */
export function worker(more: Partial<Machine> = {}): Machine {
  return {
    ...threads(1),
    name: 'worker',
    link: { latency: 1e-3, byteSeconds: 1e-8 },
    sharesCores: false,
    ...more,
  };
}

/** 1,000 parameters, 64 micro-batches a step. */
export const job: Job = {
  model: 'lenet5',
  parameters: 1_000,
  samples: 51_200,
  batch: 512,
  steps: 200,
  startSeconds: 1,
  evaluationSeconds: 2,
};

export function perHour(micros: bigint): Price {
  return { perHour: micros, currency: null, minimumSeconds: 0, perGigabyte: 0n };
}
