import { batchOf, type BatchPlan, stepsPerEpoch } from '../src/data/batches.js';
import type { EpochEvent, Progress } from '../src/events.js';
import { DtrainError } from '../src/errors.js';
import { encodeFrame } from '../src/protocol/frame.js';
import { Reduction } from '../src/reduce/reduction.js';
import { LONGEST_LEASE } from '../src/threads/memory.js';
import type { Evaluation } from '../src/threads/evaluation.js';
import type { HeldPiece, StepSums, ThreadPool } from '../src/threads/pool.js';
import { Core } from './core.js';
import type { CoreCommand, CoreEvent, MemberId, Outcome } from './core-messages.js';
import type { MicroBatchRange } from './ranges.js';
import { Stopwatch } from './stopwatch.js';

/** A remote worker, as the run sees it. */
export interface RemoteMember {
  readonly threads: number;
  send(frame: Buffer): void;
}

export interface TrainingOptions {
  readonly pool: ThreadPool;
  readonly plan: BatchPlan;
  readonly totalSteps: number;
  /** Whether the pool's threads train; else they only evaluate. */
  readonly localThreads: boolean;
  readonly startWith: number;
  readonly validation: boolean;
  /** The numbers of a step's update. */
  readonly hyper: (step: number) => Float32Array;
  readonly onEpoch: (event: EpochEvent) => void;
  /** After each step, or each lease of steps. */
  readonly onSteps: (steps: readonly StepSums[], progress: Progress) => void;
  /** There is nobody to compute, or not everybody who is waited for. */
  readonly onWait: (workers: number, started: boolean) => void;
}

export interface TrainingResult {
  readonly outcome: 'complete' | 'stopped';
  readonly steps: number;
  readonly samples: number;
  readonly trainSeconds: number;
  /** Remote workers that computed for the run. */
  readonly workers: number;
  readonly test: Evaluation;
  readonly validation: Evaluation | undefined;
}

const LOCAL: MemberId = 0;

/** The run at work: does what the core says, with threads and remote workers. */
export class Training {
  readonly #options: TrainingOptions;
  readonly #core: Core<readonly HeldPiece[]>;
  readonly #remotes = new Map<MemberId, RemoteMember>();
  readonly #assigned = new Map<MemberId, number>();
  readonly #contributors = new Set<MemberId>();
  readonly #training = new Stopwatch();
  readonly #finished: Promise<Outcome>;
  #finish: (outcome: Outcome) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  #reduction: Reduction<number> | undefined;
  #lastMember = LOCAL;
  #samples = 0;
  #steps = 0;
  #epoch = { loss: 0, correct: 0, samples: 0, seconds: 0 };
  #evaluated: { step: number; test: Evaluation; validation: Evaluation | undefined } | undefined;

  constructor(options: TrainingOptions) {
    const { plan, totalSteps, startWith } = options;
    this.#options = options;
    this.#core = new Core({ plan, totalSteps, startWith, longestLease: LONGEST_LEASE });
    this.#finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  /** Remote workers that are there. */
  get workers(): number {
    return this.#remotes.size;
  }

  /**
   * Trains to the end, or to `stop`.
   * @throws DtrainError NOT_FINITE, THREAD_FAILED
   */
  async run(): Promise<TrainingResult> {
    const { pool, localThreads } = this.#options;
    if (localThreads) {
      this.#tell({
        type: 'joined',
        member: LOCAL,
        profile: { threads: pool.threads, local: true },
      });
    } else if (this.#remotes.size === 0) this.#options.onWait(0, false);
    const outcome = await this.#finished;
    this.#training.pause();
    if (outcome === 'notFinite') throw notFinite(this.#core.step);
    const { test, validation } = await this.#evaluate();
    return {
      outcome,
      steps: this.#steps,
      samples: this.#samples,
      trainSeconds: this.#training.seconds,
      workers: this.#contributors.size,
      test,
      validation,
    };
  }

  /** Ends the run after the current step. */
  stop(): void {
    this.#tell({ type: 'stop' });
  }

  join(member: RemoteMember): MemberId {
    const id = ++this.#lastMember;
    this.#remotes.set(id, member);
    this.#tell({ type: 'joined', member: id, profile: { threads: member.threads, local: false } });
    return id;
  }

  leave(id: MemberId): void {
    if (this.#remotes.delete(id)) this.#tell({ type: 'left', member: id });
  }

  /** A remote worker's answer: the range's pieces, in this pool's memory. */
  answer(id: MemberId, step: number, range: MicroBatchRange, pieces: readonly HeldPiece[]): void {
    this.#computed(id, step, range, pieces);
  }

  #computed(
    member: MemberId,
    step: number,
    range: MicroBatchRange,
    pieces: readonly HeldPiece[],
  ): void {
    const since = this.#assigned.get(member) ?? performance.now();
    const seconds = (performance.now() - since) / 1000;
    this.#tell({ type: 'computed', member, step, range, pieces, seconds });
  }

  #tell(event: CoreEvent<readonly HeldPiece[]>): void {
    for (const command of this.#core.handle(event)) {
      this.#do(command).catch((error: unknown) => {
        this.#fail(error);
      });
    }
  }

  async #do(command: CoreCommand<readonly HeldPiece[]>): Promise<void> {
    const { pool } = this.#options;
    switch (command.type) {
      case 'sendWeights': {
        const { buffer, byteOffset, byteLength } = pool.weights;
        const bytes = new Uint8Array(buffer, byteOffset, byteLength);
        const frame = encodeFrame({ type: 'weights', step: command.step }, bytes);
        for (const id of command.members) this.#remotes.get(id)?.send(frame);
        return;
      }
      case 'assign':
        this.#training.start();
        await this.#assign(command.member, command.step, command.range);
        return;
      case 'lease':
        this.#training.start();
        await this.#lease(command.step, command.steps);
        return;
      case 'reduce':
        this.#reduce(command.pieces);
        return;
      case 'discard':
        for (const { place } of command.pieces) pool.pieces.give(place);
        return;
      case 'update':
        this.#update(command.step);
        return;
      case 'evaluate':
        await this.#endEpoch(command.epoch);
        return;
      case 'wait':
        this.#options.onWait(this.workers, this.#training.seconds > 0);
        return;
      case 'finish':
        this.#finish(command.outcome);
        return;
    }
  }

  async #assign(member: MemberId, step: number, range: MicroBatchRange): Promise<void> {
    this.#assigned.set(member, performance.now());
    if (member !== LOCAL) {
      this.#contributors.add(member);
      this.#remotes.get(member)?.send(encodeFrame({ type: 'work', step, ...range }));
      return;
    }
    const pieces = await this.#options.pool.range(step, range.first, range.last);
    this.#computed(LOCAL, step, range, pieces);
  }

  async #lease(first: number, steps: number): Promise<void> {
    const { pool, hyper } = this.#options;
    const since = performance.now();
    const rows = Array.from({ length: steps }, (_, index) => hyper(first + index));
    const sums = await pool.lease(first, rows);
    const finite = this.#count(sums);
    const seconds = (performance.now() - since) / 1000;
    this.#tell({ type: 'leased', steps: sums.length, seconds, finite });
  }

  #reduce(pieces: readonly HeldPiece[]): void {
    const { pool, plan } = this.#options;
    this.#reduction ??= new Reduction(
      batchOf(plan, this.#core.step).microBatches,
      (left, right) => {
        pool.engine.add(left, right);
        pool.pieces.give(right);
        return left;
      },
    );
    for (const { node, place } of pieces) this.#reduction.take(node, place);
  }

  #update(step: number): void {
    const { pool, hyper } = this.#options;
    const root = this.#reduction?.root;
    if (root === undefined) throw new Error(`Step ${step} has no sum.`);
    const sums = pool.update(step, root, hyper(step));
    pool.pieces.give(root);
    this.#reduction = undefined;
    this.#tell({ type: 'updated', finite: this.#count([sums]) });
  }

  /** Counts steps that were taken; false if the last one was not finite. */
  #count(steps: readonly StepSums[]): boolean {
    const { plan, totalSteps, onSteps, pool } = this.#options;
    const last = steps.at(-1);
    if (!last || !Number.isFinite(last.loss) || !pool.finite) return false;
    for (const { step, loss, correct } of steps) {
      const { samples } = batchOf(plan, step);
      this.#samples += samples;
      this.#epoch.samples += samples;
      this.#epoch.loss += loss;
      this.#epoch.correct += correct;
    }
    this.#steps += steps.length;
    const { samples, epoch } = batchOf(plan, last.step);
    const samplesPerSecond = this.#samples / this.#training.seconds;
    onSteps(steps, {
      epoch: epoch + 1,
      epochs: Math.ceil(totalSteps / stepsPerEpoch(plan)),
      step: last.step + 1,
      steps: totalSteps,
      loss: last.loss / samples,
      samplesPerSecond,
      workers: this.workers,
      secondsLeft: ((totalSteps - last.step - 1) * plan.batch) / samplesPerSecond,
    });
    return true;
  }

  async #endEpoch(epoch: number): Promise<void> {
    this.#training.pause();
    const { test, validation } = await this.#evaluate();
    const { samples, loss, correct } = this.#epoch;
    const seconds = this.#training.seconds - this.#epoch.seconds;
    this.#options.onEpoch({
      event: 'epoch',
      epoch: epoch + 1,
      step: this.#steps,
      trainLoss: loss / samples,
      trainAccuracy: correct / samples,
      ...(validation && {
        validationLoss: validation.loss,
        validationAccuracy: validation.accuracy,
      }),
      testLoss: test.loss,
      testAccuracy: test.accuracy,
      seconds,
      samplesPerSecond: samples / seconds,
    });
    this.#epoch = { loss: 0, correct: 0, samples: 0, seconds: this.#training.seconds };
    this.#tell({ type: 'evaluated' });
  }

  /** The evaluation of the weights as they are; done once for each step. */
  async #evaluate(): Promise<{ test: Evaluation; validation: Evaluation | undefined }> {
    const { pool, validation } = this.#options;
    if (this.#evaluated?.step !== this.#steps) {
      const held = validation ? await pool.evaluate('validation') : undefined;
      const test = await pool.evaluate('test');
      this.#evaluated = { step: this.#steps, test, validation: held };
    }
    return this.#evaluated;
  }
}

function notFinite(step: number): DtrainError {
  return new DtrainError(
    'NOT_FINITE',
    `The loss or the weights are no longer finite at step ${step + 1}: try a lower --lr.`,
  );
}
