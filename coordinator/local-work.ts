import { batchOf, type BatchPlan } from '../src/data/batches.js';
import { Reduction } from '../src/reduce/reduction.js';
import type { Evaluation } from '../src/threads/evaluation.js';
import { subtractPhases, sumOfPhases } from '../src/threads/phases.js';
import type { HeldPiece, StepSums, ThreadPool } from '../src/threads/pool.js';
import type { PhaseTally } from './phase-tally.js';
import type { MicroBatchRange } from './ranges.js';

export interface LocalWorkOptions {
  readonly pool: ThreadPool;
  readonly plan: BatchPlan;
  /** The numbers of a step's update. */
  readonly hyper: (step: number) => Float32Array;
  /** Whether there are validation samples. */
  readonly validation: boolean;
}

/** Of the weights as they are. */
interface Evaluations {
  readonly test: Evaluation;
  readonly validation: Evaluation | undefined;
}

/**
 * What the coordinator computes itself, with its pool: shares of a step and whole steps, the sum of
 * everybody's pieces, the optimizer's step, evaluations.
 */
export class LocalWork {
  readonly #options: LocalWorkOptions;
  readonly #phases: PhaseTally;
  /** The pool takes one job at a time. */
  #job: Promise<unknown> = Promise.resolve();
  #reduction: Reduction<number> | undefined;
  #evaluated: (Evaluations & { readonly step: number }) | undefined;

  constructor(options: LocalWorkOptions, phases: PhaseTally) {
    this.#options = options;
    this.#phases = phases;
  }

  /** A range's pieces, to be handed to `add` or `discard`. */
  range(step: number, { first, last }: MicroBatchRange): Promise<HeldPiece[]> {
    const job = this.#job.then(() => this.#options.pool.range(step, first, last));
    this.#job = job.catch(() => undefined);
    return job;
  }

  /** Whole steps; `seconds` is the time that a thread was at work, on average. */
  async lease(first: number, steps: number): Promise<{ sums: StepSums[]; seconds: number }> {
    const { pool, hyper } = this.#options;
    const rows = Array.from({ length: steps }, (_, index) => hyper(first + index));
    await this.#job;
    const before = pool.threadSeconds;
    const sums = await pool.lease(first, rows);
    const after = pool.threadSeconds;
    this.#phases.leased(before, after, pool.threads);
    return { sums, seconds: sumOfPhases(subtractPhases(after, before)) / pool.threads };
  }

  /** Adds pieces to the sum of a step, each of which has to come exactly once. */
  add(step: number, pieces: readonly HeldPiece[]): void {
    const { pool, plan } = this.#options;
    this.#reduction ??= new Reduction(batchOf(plan, step).microBatches, (left, right) => {
      pool.updater.add(left, right);
      pool.pieces.give(right);
      return left;
    });
    const since = performance.now();
    for (const { node, place } of pieces) this.#reduction.take(node, place);
    this.#phases.reduced(since);
  }

  discard(pieces: readonly HeldPiece[]): void {
    for (const { place } of pieces) this.#options.pool.pieces.give(place);
  }

  isFinite(pieces: readonly HeldPiece[]): boolean {
    return pieces.every(({ place }) => this.#options.pool.isFinite(place));
  }

  /** Takes the optimizer's step with the sum, which is complete. */
  update(step: number): StepSums {
    const { pool, hyper } = this.#options;
    const root = this.#reduction?.root;
    if (root === undefined) throw new Error(`Step ${step} has no sum.`);
    const since = performance.now();
    const sums = pool.update(step, root, hyper(step));
    this.#phases.updated(since);
    pool.pieces.give(root);
    this.#reduction = undefined;
    return sums;
  }

  /** @param step by which the weights have come to be: they are evaluated once after each */
  async evaluate(step: number): Promise<Evaluations> {
    const { pool, validation } = this.#options;
    if (this.#evaluated?.step !== step) {
      await this.#job;
      const held = validation ? await pool.evaluate('validation') : undefined;
      const test = await pool.evaluate('test');
      this.#evaluated = { step, test, validation: held };
    }
    return this.#evaluated;
  }
}
