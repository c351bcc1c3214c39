import type { SplitSize } from '../data/dataset.js';
import { microBatchesOf } from '../data/batches.js';
import { EVALUATION_ROW, type Place } from '../engine/engine.js';
import { LANES } from '../engine/ir/types.js';
import { CHECK_VALUES, slicesOf } from '../engine/kernels/optimizer.js';
import { rootLevel } from '../reduce/tree.js';
import { CONTROL_WORDS, nodeWords } from './control.js';
import { CLOCK_VALUES } from './phases.js';
import type { SlotPlan } from './piece-slots.js';

/** Samples in the shared memory: values and labels. */
interface Samples {
  readonly images: Place;
  readonly labels: Place;
}

/** Samples with a list that says which ones and in what order. */
export interface SampleSet extends Samples {
  /** `count` 32-bit sample numbers. */
  readonly list: Place;
  readonly count: number;
}

/** What one thread has for itself. */
export interface OwnMemory {
  readonly work: Place;
  /** For two micro-batches side by side. */
  readonly pairWork: Place;
  readonly indices: Place;
  /** What the micro-batch's random numbers depend on. */
  readonly draws: Place;
  /** Copies of the samples at work, if they come from files or are augmented. */
  readonly samples: Samples;
  /** A sample from a file before it is augmented. */
  readonly stored: Place;
  /** Float64 values, as `PhaseClock` has them. */
  readonly clock: Place;
}

/** Where everything is in the memory that the threads of one process share; places in bytes. */
export interface MemoryPlan {
  readonly control: Place;
  /** Words that hold the piece waiting at each node of the reduction tree. */
  readonly nodes: Place;
  readonly slots: SlotPlan;
  readonly weights: Place;
  readonly state: Place;
  /** One row of hyper-parameters for each step of a lease. */
  readonly hyper: Place;
  readonly check: Place;
  /** Of the optimizer's step. */
  readonly slices: number;
  /** Loss and correct answers of each step of a lease. */
  readonly losses: Place;
  /** The float32 value of each byte of a sample, channel after channel; nothing for float32 samples. */
  readonly table: Place;
  readonly training: SampleSet;
  readonly validation: SampleSet;
  readonly test: SampleSet;
  /** Of an evaluation, `EVALUATION_ROW` values for each micro-batch. */
  readonly evaluation: Place;
  readonly perThread: readonly OwnMemory[];
  readonly bytes: number;
}

/** The most steps that threads take without the main thread. */
export const LONGEST_LEASE = 256;
/** Bytes of one step's hyper-parameters. */
export const HYPER_ROW = 64;

/** The most pieces that the main thread holds, for each micro-batch of a step. */
const HELD_PIECES = 4;

/** Whether the update's gradients and new weights were all finite. */
export function updateWasFinite(buffer: ArrayBufferLike, plan: MemoryPlan): boolean {
  const checks = new Float32Array(buffer, plan.check, plan.slices * CHECK_VALUES);
  return checks.every((value) => value === 0);
}

const LINE = 64;
/** What a process's memory must hold; sizes of weights, state, work and pieces in float32 values. */
export interface MemoryNeeds {
  readonly threads: number;
  readonly weights: number;
  readonly state: number;
  readonly work: number;
  readonly pairWork: number;
  readonly piece: number;
  /** Samples are not trained on as they are. */
  readonly augmented: boolean;
  /** The most micro-batches that a thread takes at once. */
  readonly atOnce: number;
  /** Micro-batches in a full batch. */
  readonly microBatches: number;
  readonly training: SplitSize;
  /** Samples of the training split that are trained on, and that are held out. */
  readonly trainingCount: number;
  readonly validationCount: number;
  readonly test: SplitSize;
  readonly table: Float32Array;
}

export function planMemory(needs: MemoryNeeds): MemoryPlan {
  let bytes = 0;
  const place = (size: number): Place => {
    const at = bytes;
    bytes += Math.ceil(size / LINE) * LINE;
    return at;
  };
  const floats = (count: number): Place => place(count * 4);
  const samples = ({ count, sampleBytes, files }: SplitSize): Samples => ({
    images: place(files ? 0 : count * sampleBytes),
    labels: place(count),
  });
  const list = (count: number): { list: Place; count: number } => ({ list: floats(count), count });
  const evaluated = Math.max(needs.validationCount, needs.test.count);
  const training = samples(needs.training);
  const copied = Math.max(
    needs.augmented || needs.training.files ? needs.training.sampleBytes : 0,
    needs.test.files ? needs.test.sampleBytes : 0,
  );
  const most = piecesInFlight(needs.threads, needs.microBatches) + HELD_PIECES * needs.microBatches;
  const plan = {
    control: floats(CONTROL_WORDS),
    nodes: floats(nodeWords(needs.microBatches)),
    weights: floats(needs.weights),
    state: floats(needs.state),
    hyper: place(LONGEST_LEASE * HYPER_ROW),
    check: floats(slicesOf(needs.weights) * CHECK_VALUES),
    slices: slicesOf(needs.weights),
    losses: floats(LONGEST_LEASE * 2),
    table: floats(needs.table.length),
    training: { ...training, ...list(needs.trainingCount) },
    validation: { ...training, ...list(needs.validationCount) },
    test: { ...samples(needs.test), ...list(needs.test.count) },
    evaluation: floats(microBatchesOf(evaluated) * EVALUATION_ROW),
    perThread: Array.from({ length: needs.threads }, () => ({
      work: floats(needs.work),
      pairWork: floats(needs.pairWork),
      indices: floats(needs.atOnce * LANES),
      draws: floats(3),
      samples: samples({ count: needs.atOnce * LANES, sampleBytes: copied }),
      stored: place(copied),
      clock: floats(2 * CLOCK_VALUES),
    })),
  };
  const words = { taken: floats(most), count: floats(1) };
  return { ...plan, slots: { ...words, most, first: bytes, bytes: needs.piece * 4 }, bytes };
}

/**
 * Pieces that threads at work on a step may hold at once, the finished ones not counted. Leaves are
 * dealt in one block for each thread, so those that are done make at most two intervals for each
 * thread (one in flight splits one), and an interval is at most two nodes on each level.
 */
export function piecesInFlight(threads: number, microBatches: number): number {
  return Math.min(threads * (4 * rootLevel(microBatches) + 1), microBatches + threads);
}

/** Puts what does not depend on the samples into a new memory. */
export function fillMemory(buffer: ArrayBufferLike, plan: MemoryPlan, needs: MemoryNeeds): void {
  const words = new Uint32Array(buffer);
  for (let index = 0; index < needs.test.count; index++) words[plan.test.list / 4 + index] = index;
  new Float32Array(buffer).set(needs.table, plan.table / 4);
}
