import { add, float, intMul, load, loadSplat, mul, select } from '../ir/expressions.js';
import type { KernelBuilder } from '../ir/builder.js';
import { type Expr, type Target, type Variable } from '../ir/types.js';

/** The lanes of one cell: as many vectors as the target needs for a micro-batch. */
export type Cell = readonly Expr<'vec'>[];
export type CellVariable = readonly Variable<'vec'>[];

/** 0, 1, …, count - 1 */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Vectors in a cell. */
function partsOf(target: Target): number {
  return target.lanes / target.width;
}

/** Offsets of a cell's vectors from its first lane. */
export function partOffsets(target: Target): number[] {
  return range(partsOf(target)).map((part) => part * target.width);
}

/** The cell at pointer + offset, bound to variables. */
export function loadCell(
  k: KernelBuilder,
  target: Target,
  pointer: Expr<'ptr'>,
  offset = 0,
): CellVariable {
  return partOffsets(target).map((part) => k.let(load('vec', pointer, offset + part)));
}

export function storeCell(
  k: KernelBuilder,
  target: Target,
  pointer: Expr<'ptr'>,
  offset: number,
  cell: Cell,
): void {
  partOffsets(target).forEach((part, index) => {
    const value = cell[index];
    if (value) k.store(pointer, offset + part, value);
  });
}

/** A cell with the value at pointer + offset in every lane. */
export function splatCell(
  k: KernelBuilder,
  target: Target,
  pointer: Expr<'ptr'>,
  offset: number,
): CellVariable {
  return range(partsOf(target)).map(() => k.let(loadSplat(pointer, offset)));
}

export function zeroCell(k: KernelBuilder, target: Target): CellVariable {
  return range(partsOf(target)).map(() => k.let(float('vec', 0)));
}

/** sums[i][j] += cells[i] * (the weight at pointer + offsets[j], in every lane) */
export function addProducts(
  k: KernelBuilder,
  sums: readonly (readonly CellVariable[])[],
  cells: readonly Cell[],
  weights: Expr<'ptr'>,
  offsets: readonly number[],
): void {
  offsets.forEach((offset, index) => {
    const weight = k.let(loadSplat(weights, offset));
    sums.forEach((row, cell) => {
      row[index]?.forEach((part, lane) => {
        const value = cells[cell]?.[lane];
        if (value) k.set(part, add(part, mul(value, weight)));
      });
    });
  });
}

export function max<T extends 'vec' | 'f32'>(left: Expr<T>, right: Expr<T>): Expr<T> {
  return select('gt', left, right, left, right);
}

/**
 * Register tiles: sums that a kernel keeps in registers through its innermost loop. They change no
 * order of summation, so no bit of any result. They are small, and the loops around them are not
 * unrolled: V8 moves the loads of a straight run of code before its arithmetic, so a longer run
 * than the registers hold goes through the stack.
 *
 * How a row of `count` outputs is cut: full tiles of one size, then one of what is left.
 */
export interface Tiling {
  readonly tile: number;
  readonly full: number;
  readonly rest: number;
}

/**
 * The largest tile up to `most` that leaves nothing over, or the one that leaves the most to its
 * last tile: every tile costs a pass over the inputs.
 */
export function tiling(count: number, most: number): Tiling {
  const passes = Math.ceil(count / most);
  const tile = Math.ceil(count / passes);
  return { tile, full: Math.floor(count / tile), rest: count % tile };
}

/**
 * Runs `write` for each tile, as a loop over the full ones and once for the rest. `write` gets the
 * number of the tile's first output and how many it has.
 */
export function forTiles(
  k: KernelBuilder,
  { tile, full, rest }: Tiling,
  write: (first: Expr<'int'> | number, size: number) => void,
): void {
  if (full === 1) write(0, tile);
  else
    k.loop(0, full, (index) => {
      write(intMul(index, tile), tile);
    });
  if (rest > 0) write(full * tile, rest);
}
