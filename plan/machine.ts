import type { Price } from '../src/cost/price.js';

/**
 * A connection by Hockney's model (R. Hockney, The communication challenge for MPP, Parallel
 * Computing 20, 1994): a message of n bytes takes alpha + beta n seconds, one way.
 */
export interface Link {
  /** Alpha: the latency, in seconds. */
  readonly latency: number;
  /** Beta: seconds for a byte, one over the bandwidth. */
  readonly byteSeconds: number;
}

/** What may compute: the coordinator's own threads, or a worker. All times are in seconds. */
export interface Machine {
  readonly name: string;
  readonly threads: number;
  /** A thread's time for the gradients of one micro-batch, with a core for itself. */
  readonly microBatchSeconds: number;
  /** What any share of a step takes beside its micro-batches: threads that wake up and meet. */
  readonly shareSeconds: number;
  /** Null: the coordinator's own threads, which share its memory. */
  readonly link: Link | null;
  /** Its threads run on the coordinator's cores, as the coordinator's own do. */
  readonly sharesCores: boolean;
  /** How many times as long its threads take when all the coordinator's cores are busy, if shared. */
  readonly contention: number;
  /** In the plan's currency; null if nobody says what it costs. */
  readonly price: Price | null;
}

/** What steps of so many workers took beyond the rest of the model; measured, in seconds. */
export interface Wait {
  readonly workers: number;
  readonly seconds: number;
}

/** What the coordinator itself needs, all on its main thread. In seconds. */
export interface Coordinator {
  readonly cores: number;
  /** For a message that it sends or receives, and for each byte of it. */
  readonly messageSeconds: number;
  readonly byteSeconds: number;
  /** Beyond the rest, by the number of workers that have a share: the slowest is waited for. */
  readonly waits: readonly Wait[];
  /** For adding a piece to the step's sum, and for the optimizer's step. */
  readonly addSeconds: number;
  readonly updateSeconds: number;
  /** What a step of one of its own threads alone takes beside the gradients, and each other adds. */
  readonly leaseSeconds: number;
  readonly leaseThreadSeconds: number;
  /** Micro-batches that one of its threads takes at a time. */
  readonly grain: number;
}

/** A run, as far as its time depends on it. */
export interface Job {
  readonly model: string;
  readonly parameters: number;
  /** Samples of an epoch, and of a step. */
  readonly samples: number;
  readonly batch: number;
  /** In all. */
  readonly steps: number;
  /** Seconds from the command to the first step. */
  readonly startSeconds: number;
  /** Seconds of an evaluation with one thread; there is one after each epoch. */
  readonly evaluationSeconds: number;
}
