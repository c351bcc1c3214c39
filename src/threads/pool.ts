import { Piscina } from 'piscina';
import type { ImageAugmentation } from '../augment/augmentation.js';
import { batchOf, microBatchesOf } from '../data/batches.js';
import type { Split, SplitSize } from '../data/dataset.js';
import type { HoldOut } from '../data/order.js';
import {
  type CallSizes,
  EVALUATION_ROW,
  PAGE,
  type Place,
  updateAll,
  type Updater,
} from '../engine/engine.js';
import { CORRECT, LOSS, type Program } from '../engine/program.js';
import { DtrainError, reasonOf } from '../errors.js';
import { coveringNodes, type TreeNode } from '../reduce/tree.js';
import { type Evaluation, summarize } from './evaluation.js';
import { Control, jobKinds, nodeWord, nodeWords } from './control.js';
import {
  fillMemory,
  HYPER_ROW,
  LONGEST_LEASE,
  type MemoryPlan,
  piecesInFlight,
  planMemory,
  type SampleSet,
  updateWasFinite,
} from './memory.js';
import { callSizes, type EngineParts, updaterIn } from './engine-in.js';
import { addPhases, NO_TIME, PhaseClock, type Phases } from './phases.js';
import { PieceSlots } from './piece-slots.js';
import { ticketNodes } from './tickets.js';
import type { ThreadStart } from './thread.js';

const LARGEST_PAGES = 65_536;
/** Looks at shared memory before a thread sleeps: some microseconds, if a core is free for it. */
const SPINS = 2_000;

export interface PoolOptions {
  readonly threads: number;
  /** Cores that this process may use. */
  readonly cores: number;
  readonly module: WebAssembly.Module;
  readonly program: Pick<Program, 'pieceSize' | 'workSize'>;
  /** What is to compute, if the module is not. */
  readonly engine?: EngineParts;
  readonly parameterCount: number;
  /** Arrays of optimizer state, each as long as the weights. */
  readonly stateSlots: number;
  readonly seed: number;
  readonly batch: number;
  readonly training: SplitSize;
  /** Samples of the training split that are trained on, and that are held out. */
  readonly trainingCount: number;
  readonly validationCount: number;
  readonly test: SplitSize;
  /** The float32 value of each byte of a sample, channel after channel; empty for float32 samples. */
  readonly table: Float32Array;
  /** How training images are changed, if they are. */
  readonly augmentation?: ImageAugmentation | undefined;
}

/** A subtree's sum, kept in the pool's memory until it is given back. */
export interface HeldPiece {
  readonly node: TreeNode;
  readonly place: Place;
}

export interface StepSums {
  readonly step: number;
  /** Sum over the batch's samples. */
  readonly loss: number;
  readonly correct: number;
}

/**
 * The compute threads of one process and the memory they share with its main thread. One job at a
 * time: a range of a step, a lease of whole steps, or an evaluation.
 */
export class ThreadPool {
  /** Places in the memory may be read and written while no job runs. */
  readonly memory: WebAssembly.Memory;
  readonly updater: Updater;
  readonly pieces: PieceSlots;
  readonly #options: PoolOptions;
  readonly #plan: MemoryPlan;
  readonly #control: Control;
  readonly #nodes: Int32Array;
  readonly #piscina: Piscina;
  readonly #tasks: readonly Promise<void>[];
  readonly #atOnce: CallSizes;
  /** Slots that the threads may take for the job they are at. */
  #jobSlots = 0;
  #failure: DtrainError | undefined;

  /** Starts the threads. They wait for the first job, before which samples and lists must be there. */
  constructor(options: PoolOptions) {
    const { module, program, engine = {}, parameterCount, threads } = options;
    const { library } = engine;
    this.#atOnce = callSizes(engine);
    const microBatches = microBatchesOf(options.batch);
    const needs = {
      ...options,
      weights: parameterCount,
      state: parameterCount * options.stateSlots,
      work: library?.workSize ?? program.workSize,
      pairWork: library?.pairWorkSize ?? 0,
      piece: program.pieceSize,
      augmented: options.augmentation !== undefined,
      atOnce: Math.max(this.#atOnce.gradients, this.#atOnce.evaluate),
      microBatches,
    };
    const plan = planMemory(needs);
    const pieces = piecesInFlight(threads, microBatches) + microBatches;
    const bytes = plan.bytes + pieces * plan.slots.bytes;
    if (bytes > LARGEST_PAGES * PAGE) {
      const gigabytes = (bytes / 2 ** 30).toFixed(1);
      throw new DtrainError(
        'MODEL_INVALID',
        `The model, its data and ${threads} threads need ${gigabytes} GiB of memory; 4 GiB is the most.`,
      );
    }
    const memory = new WebAssembly.Memory({
      initial: Math.ceil(plan.bytes / PAGE),
      maximum: LARGEST_PAGES,
      shared: true,
    });
    const buffer = memory.buffer as unknown as SharedArrayBuffer;
    fillMemory(buffer, plan, needs);
    this.#options = options;
    this.#plan = plan;
    this.memory = memory;
    this.updater = updaterIn(memory, module, engine);
    this.pieces = new PieceSlots(memory, plan.slots);
    this.#control = new Control(buffer, plan.control);
    this.#nodes = new Int32Array(buffer, plan.nodes, nodeWords(microBatches));
    this.#piscina = new Piscina({
      filename: new URL('./thread.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
    });
    this.#tasks = Array.from({ length: threads }, (_, index) => {
      const start: ThreadStart = {
        module,
        engine: { library, approximate: engine.approximate },
        memory,
        plan,
        index,
        spins: threads <= options.cores ? SPINS : 0,
        seed: options.seed,
        augmentation: options.augmentation,
        training: options.training,
        test: options.test,
        batch: options.batch,
        parameterCount,
        microBatches,
      };
      return this.#piscina.run(start) as Promise<void>;
    });
    for (const task of this.#tasks) {
      task.catch((cause: unknown) => {
        const reason = reasonOf(cause);
        this.#failure = new DtrainError(
          'THREAD_FAILED',
          `A compute thread failed: ${reason.replace(/\.$/, '')}.`,
          {
            cause,
          },
        );
        this.#control.raise('finished');
        this.#control.raise('started');
      });
    }
  }

  get threads(): number {
    return this.#options.threads;
  }

  /**
   * Resolves when every thread has its engine. If one fails, the pool is closed.
   * @throws DtrainError THREAD_FAILED
   */
  async ready(): Promise<void> {
    for (;;) {
      const started = this.#control.get('started');
      if (this.#failure) {
        const failure = this.#failure;
        await this.close();
        throw failure;
      }
      if (started >= this.threads) return;
      await this.#control.changed('started', started);
    }
  }

  /** Sees to it that so many pieces from elsewhere can be held, whatever the threads take. */
  reserve(count: number): void {
    this.pieces.reserve(this.#jobSlots + count);
  }

  /** The training samples, in place: what is in files stays there. */
  get training(): Split {
    return this.#samples(this.#plan.training, this.#options.training);
  }

  /** Says which samples of the training split are trained on, and which are held out. */
  setLists({ training, validation }: HoldOut): void {
    const words = new Uint32Array(this.memory.buffer);
    words.set(training, this.#plan.training.list / 4);
    words.set(validation, this.#plan.validation.list / 4);
  }

  /** The test samples, in place. */
  get test(): Split {
    return this.#samples(this.#plan.test, this.#options.test);
  }

  /** What the threads have spent on training so far, added up; while no job runs. */
  get threadSeconds(): Phases {
    return this.#plan.perThread
      .map(({ clock }) => new PhaseClock(this.memory.buffer, clock).phases)
      .reduce(addPhases, NO_TIME);
  }

  /** The weights, in place. */
  get weights(): Float32Array {
    return this.#view(this.#plan.weights, this.#options.parameterCount);
  }

  /** The optimizer's state, in place: its arrays one after the other. */
  get state(): Float32Array {
    const { parameterCount, stateSlots } = this.#options;
    return this.#view(this.#plan.state, parameterCount * stateSlots);
  }

  /** Computes the micro-batches [first, last) of a step; the caller gives the pieces back. */
  async range(step: number, first: number, last: number): Promise<HeldPiece[]> {
    const { microBatches } = this.#batchOf(step);
    const nodes = coveringNodes(first, last, microBatches);
    this.#describe({ kind: jobKinds.range, step, first, last, unfinished: nodes.length });
    await this.#run(this.#tickets(first, last, microBatches), nodes.length);
    return nodes.map((node) => {
      const word = nodeWord(node, microBatchesOf(this.#options.batch));
      return { node, place: Atomics.exchange(this.#nodes, word, 0) };
    });
  }

  /**
   * Computes whole steps from `first` on, the updates included.
   * @param hyper one row for each step, as `stepHyperparameters` gives them; at most LONGEST_LEASE
   * @returns the sums of each step that was taken: fewer if one was not finite
   */
  async lease(first: number, hyper: readonly Float32Array[]): Promise<StepSums[]> {
    if (hyper.length > LONGEST_LEASE) throw new RangeError('The lease is too long.');
    hyper.forEach((row, index) => {
      this.#writeHyper(index, row);
    });
    const batch = this.#batchOf(first);
    const last = batch.microBatches;
    this.#describe({ kind: jobKinds.lease, step: first, first: 0, last, unfinished: 1 });
    this.#control.set('leaseFirst', first);
    this.#control.set('leaseEnd', first + hyper.length);
    await this.#run(this.#tickets(0, last, last), 1);
    const taken = this.#control.get('step') - first;
    const losses = this.#view(this.#plan.losses, taken * 2);
    return Array.from({ length: taken }, (_, index) => ({
      step: first + index,
      loss: losses[index * 2] ?? NaN,
      correct: losses[index * 2 + 1] ?? NaN,
    }));
  }

  /** Takes the optimizer's step with the whole batch's sum, on the calling thread. */
  update(step: number, root: Place, hyper: Float32Array): StepSums {
    this.#writeHyper(0, hyper);
    const { weights, state, hyper: place, check, slices } = this.#plan;
    updateAll(this.updater, slices, weights, root, state, place, check);
    const sums = this.#view(root + this.#options.parameterCount * 4, 2);
    return { step, loss: sums[LOSS] ?? NaN, correct: sums[CORRECT] ?? NaN };
  }

  /** Whether the gradients and weights of the last update were all finite. */
  get finite(): boolean {
    return updateWasFinite(this.memory.buffer, this.#plan);
  }

  /** Whether all values of a piece are finite. */
  isFinite(piece: Place): boolean {
    const words = new Int32Array(this.memory.buffer, piece, this.#options.parameterCount + 2);
    // An exponent of ones alone, which NaN and the infinities have, carries into the sign's bit.
    let carries = 0;
    // By index: an iterator takes ten times as long here.
    let left = words.length;
    while (left-- > 0) carries |= ((words[left] ?? 0) & 0x7f800000) + 0x00800000;
    return carries >= 0;
  }

  /** Loss, accuracy and confusion over the test or the validation samples. */
  async evaluate(which: 'test' | 'validation'): Promise<Evaluation> {
    const set = this.#plan[which];
    const microBatches = microBatchesOf(set.count);
    const tickets = Math.ceil(microBatches / this.#atOnce.evaluate);
    const kind = jobKinds.evaluate;
    this.#describe({ kind, step: 0, first: 0, last: microBatches, unfinished: tickets });
    this.#control.set('set', which === 'test' ? 0 : 1);
    await this.#run(tickets, 0);
    const rows = this.#view(this.#plan.evaluation, microBatches * EVALUATION_ROW);
    return summarize(rows, this.#labels(set));
  }

  /** Ends the threads once they are done with what they do. */
  async close(): Promise<void> {
    this.#control.set('stop', 1);
    this.#control.raise('generation');
    // Threads that are terminated while they still load can take the process with them.
    await Promise.allSettled(this.#tasks);
    this.#failure ??= new DtrainError('THREAD_FAILED', 'The compute threads have been stopped.');
    this.#control.raise('finished');
    await this.#piscina.destroy();
  }

  #samples({ images, labels }: SampleSet, { count, sampleBytes, files }: SplitSize): Split {
    const { buffer } = this.memory;
    return {
      count,
      images: files ?? new Uint8Array(buffer, images, count * sampleBytes),
      labels: new Uint8Array(buffer, labels, count),
    };
  }

  /** The labels of a set's samples, in the order of its list. */
  #labels({ labels, list, count }: SampleSet): number[] {
    const bytes = new Uint8Array(this.memory.buffer);
    const samples = new Uint32Array(this.memory.buffer, list, count);
    return Array.from(samples, (sample) => bytes[labels + sample] ?? 0);
  }

  #tickets(first: number, last: number, leaves: number): number {
    const { threads } = this.#options;
    return ticketNodes(first, last, leaves, threads, this.#atOnce.gradients).length;
  }

  #describe(job: Record<'kind' | 'step' | 'first' | 'last' | 'unfinished', number>): void {
    this.#control.set('kind', job.kind);
    this.#control.set('step', job.step);
    this.#control.set('first', job.first);
    this.#control.set('last', job.last);
    this.#control.set('unfinished', job.unfinished);
  }

  /** @param pieces that the job leaves behind */
  async #run(tickets: number, pieces: number): Promise<void> {
    const { threads, batch } = this.#options;
    const seen = this.#control.get('finished');
    this.#throwIfFailed();
    if (tickets === 0) return;
    this.#jobSlots = piecesInFlight(threads, microBatchesOf(batch)) + pieces;
    this.reserve(0);
    this.#control.open(tickets);
    await this.#control.changed('finished', seen);
    this.#jobSlots = 0;
    this.#throwIfFailed();
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure;
  }

  #writeHyper(row: number, values: Float32Array): void {
    this.#view(this.#plan.hyper + row * HYPER_ROW, values.length).set(values);
  }

  #batchOf(step: number) {
    return batchOf({ samples: this.#plan.training.count, batch: this.#options.batch }, step);
  }

  #view(place: Place, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, place, count);
  }
}
