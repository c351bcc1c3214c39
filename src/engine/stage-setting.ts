import type { KernelBuilder } from './ir/builder.js';
import type { Expr, Target } from './ir/types.js';
import type { Border, Planes } from './kernels/planes.js';

/** A stage's values in the work memory. */
export interface Buffer {
  readonly planes: Planes;
  readonly place: number;
}

export interface ForwardPointers {
  /** The work memory at a place. */
  readonly at: (place: number) => Expr<'ptr'>;
  readonly weights: Expr<'ptr'>;
  /** What random numbers depend on, as DRAW_WORDS; absent where nothing is random. */
  readonly draws?: Expr<'ptr'>;
}

export interface BackwardPointers extends ForwardPointers {
  readonly piece: Expr<'ptr'>;
  /** The gradient of the stage's output, which may be overwritten. */
  readonly dy: Expr<'ptr'>;
  /** Where the gradient of its input goes, of each if there are several; the sample has none. */
  readonly dx?: Expr<'ptr'>;
}

/** Writes the calls of a stage's kernels, forward and backward. */
export interface StageKernels {
  forward(k: KernelBuilder, pointers: ForwardPointers): void;
  backward(k: KernelBuilder, pointers: BackwardPointers): void;
}

/** What a stage's kernels are made from. */
export interface StageSetting {
  readonly target: Target;
  /** The values of the stage's inputs; all have the shape of the first. */
  readonly x: Buffer;
  readonly others: readonly Buffer[];
  readonly y: Buffer;
  /** Places of further work memory. */
  readonly allocate: (size: number) => number;
}

/** A buffer as a stage sees it that wants less of a border around its values. */
export function within({ planes, place }: Buffer, { top, left }: Border): Buffer {
  const rows = planes.top - top;
  const columns = planes.left - left;
  return {
    planes: { ...planes, top, left },
    place: place + rows * planes.rowStride + columns * planes.lanes,
  };
}
