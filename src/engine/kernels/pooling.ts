import type { Pair } from '../../model/layers.js';
import { type KernelBuilder, defineKernel } from '../ir/builder.js';
import {
  add,
  advance,
  div,
  float,
  intAdd,
  intMax,
  intMin,
  intMul,
  intSub,
  select,
  splat,
  toFloat,
} from '../ir/expressions.js';
import { type Expr, type Kernel, type Target, type Variable } from '../ir/types.js';
import { reachingTaps } from './taps.js';
import { origin, type Planes } from './planes.js';
import {
  type Cell,
  type CellVariable,
  loadCell,
  partOffsets,
  storeCell,
  zeroCell,
} from './tiles.js';

/** A pooling of planes without a border. `before`: padding cells before the first row, column. */
export interface Pooling {
  readonly input: Planes;
  readonly output: Planes;
  readonly size: Pair;
  readonly strides: Pair;
  readonly before: Pair;
}

/** Calls `write` at each output cell; `output` is the cell's place in planes without a border. */
function forOutputs(
  k: KernelBuilder,
  { input, output }: Pooling,
  pointers: { x: Expr<'ptr'>; y: Expr<'ptr'> },
  write: (cell: {
    x: Variable<'ptr'>;
    y: Variable<'ptr'>;
    row: Expr<'int'>;
    column: Expr<'int'>;
  }) => void,
): void {
  const x = k.let(pointers.x);
  const plane = k.let(advance(pointers.y, origin(output)));
  k.loop(0, output.channels, () => {
    k.loop(0, output.rows, (row) => {
      const y = k.let(advance(plane, intMul(row, output.rowStride)));
      k.loop(0, output.columns, (column) => {
        write({ x, y, row, column });
        k.move(y, output.lanes);
      });
    });
    k.move(x, input.channelStride);
    k.move(plane, output.channelStride);
  });
}

interface Window {
  readonly first: Variable<'int'>;
  readonly end: Variable<'int'>;
  /** The first tap's number in the window. */
  readonly tap: Expr<'int'>;
}

/** The cells of one axis that the window of `output` covers, padding left out. */
function windowCells(
  k: KernelBuilder,
  output: Expr<'int'>,
  axis: { size: number; stride: number; before: number; cells: number },
): Window {
  const start = k.let(intSub(intMul(output, axis.stride), axis.before));
  const first = k.let(intMax(start, 0));
  const end = k.let(intMin(intAdd(start, axis.size), axis.cells));
  return { first, end, tap: intSub(first, start) };
}

function windowsAt(
  k: KernelBuilder,
  { input, size, strides, before }: Pooling,
  row: Expr<'int'>,
  column: Expr<'int'>,
): { rows: Window; columns: Window } {
  const axis = (index: 0 | 1, cells: number) => ({
    size: size[index],
    stride: strides[index],
    before: before[index],
    cells,
  });
  return {
    rows: windowCells(k, row, axis(0, input.rows)),
    columns: windowCells(k, column, axis(1, input.columns)),
  };
}

/** Walks a window's cells in row-major order. */
function forWindow(
  k: KernelBuilder,
  { input }: Pooling,
  plane: Expr<'ptr'>,
  { rows, columns }: { rows: Window; columns: Window },
  write: (cell: Expr<'ptr'>, row: Expr<'int'>, column: Expr<'int'>) => void,
): void {
  k.loop(rows.first, rows.end, (row) => {
    const cells = k.let(advance(plane, intMul(row, input.rowStride)));
    k.loop(columns.first, columns.end, (column) => {
      write(advance(cells, intMul(column, input.lanes)), row, column);
    });
  });
}

/** `best` and `winner` become the cell and its tap where the cell is greater. */
function keepGreater(
  k: KernelBuilder,
  best: CellVariable,
  winner: CellVariable,
  cell: Cell,
  tap: Expr<'vec'>,
): void {
  best.forEach((greatest, part) => {
    const value = cell[part];
    const taken = winner[part];
    if (!value || !taken) return;
    k.set(taken, select('gt', value, greatest, tap, taken));
    k.set(greatest, select('gt', value, greatest, value, greatest));
  });
}

/**
 * forward(x, y, winners): y = the greatest of each window, winners = the number of the first tap
 * (row-major) that has it. Winners have y's shape without a border.
 */
export function maxPoolForward(name: string, target: Target, pooling: Pooling): Kernel {
  const { size } = pooling;
  return defineKernel(name, { x: 'ptr', y: 'ptr', winners: 'ptr' }, (k, args) => {
    const winners = k.let(args.winners);
    forOutputs(k, pooling, args, ({ x, y, row, column }) => {
      const windows = windowsAt(k, pooling, row, column);
      const best = partOffsets(target).map(() => k.let(float('vec', -Infinity)));
      const winner = zeroCell(k, target);
      const tapRow = (cell: Expr<'int'>) =>
        intAdd(intSub(cell, windows.rows.first), windows.rows.tap);
      const tapColumn = (cell: Expr<'int'>) =>
        intAdd(intSub(cell, windows.columns.first), windows.columns.tap);
      forWindow(k, pooling, x, windows, (at, cellRow, cellColumn) => {
        const tap = intAdd(intMul(tapRow(cellRow), size[1]), tapColumn(cellColumn));
        keepGreater(k, best, winner, loadCell(k, target, at), k.let(splat(toFloat(tap))));
      });
      storeCell(k, target, y, 0, best);
      storeCell(k, target, winners, 0, winner);
      k.move(winners, target.lanes);
    });
  });
}

/** forward(x, y): y = the sum of each window in row-major order, divided by the cells it has. */
export function averagePoolForward(name: string, target: Target, pooling: Pooling): Kernel {
  return defineKernel(name, { x: 'ptr', y: 'ptr' }, (k, args) => {
    forOutputs(k, pooling, args, ({ x, y, row, column }) => {
      const windows = windowsAt(k, pooling, row, column);
      const sum = zeroCell(k, target);
      forWindow(k, pooling, x, windows, (at) => {
        loadCell(k, target, at).forEach((value, part) => {
          const total = sum[part];
          if (total) k.set(total, add(total, value));
        });
      });
      const share = windowShare(k, windows);
      storeCell(
        k,
        target,
        y,
        0,
        sum.map((total) => div(total, share)),
      );
    });
  });
}

/** How many cells a window has, in every lane. */
function windowShare(
  k: KernelBuilder,
  { rows, columns }: { rows: Window; columns: Window },
): Expr<'vec'> {
  const cells = intMul(intSub(rows.end, rows.first), intSub(columns.end, columns.first));
  return k.let(splat(toFloat(cells)));
}

/**
 * backward(dy, winners, dx) of max pooling, backward(dy, dx) of average pooling: each input cell
 * sums, in the order of the window's taps, what the windows that cover it send back.
 */
export function poolBackward(
  name: string,
  target: Target,
  kind: 'maxPool2d' | 'averagePool2d',
  pooling: Pooling,
  dy: Planes,
): Kernel {
  const { input, size, strides, before } = pooling;
  const params = { dy: 'ptr', winners: 'ptr', dx: 'ptr' } as const;
  return defineKernel(name, params, (k, args) => {
    const out = k.let(args.dx);
    const plane = k.let(args.dy);
    const winners = k.let(args.winners);
    k.loop(0, input.channels, () => {
      k.loop(0, input.rows, (row) => {
        const rows = reachingTaps(k, intAdd(row, before[0]), size[0], strides[0], dy.rows);
        k.loop(0, input.columns, (column) => {
          const columns = reachingTaps(
            k,
            intAdd(column, before[1]),
            size[1],
            strides[1],
            dy.columns,
          );
          const sum = zeroCell(k, target);
          const outputRow = k.let(rows.output);
          k.loop(
            rows.first,
            rows.end,
            (tapRow) => {
              const outputColumn = k.let(columns.output);
              k.loop(
                columns.first,
                columns.end,
                (tapColumn) => {
                  const place = k.let(
                    intAdd(intMul(outputRow, dy.rowStride), intMul(outputColumn, target.lanes)),
                  );
                  const gradient = loadCell(k, target, advance(plane, place));
                  const sent =
                    kind === 'maxPool2d'
                      ? wonGradient(
                          k,
                          target,
                          gradient,
                          advance(winners, place),
                          intAdd(intMul(tapRow, size[1]), tapColumn),
                        )
                      : sharedGradient(k, pooling, gradient, outputRow, outputColumn);
                  sum.forEach((total, part) => {
                    const value = sent[part];
                    if (value) k.set(total, add(total, value));
                  });
                  k.set(outputColumn, intSub(outputColumn, 1));
                },
                strides[1],
              );
              k.set(outputRow, intSub(outputRow, 1));
            },
            strides[0],
          );
          storeCell(k, target, out, 0, sum);
          k.move(out, target.lanes);
        });
      });
      k.move(plane, dy.channelStride);
      k.move(winners, dy.channelStride);
    });
  });
}

function wonGradient(
  k: KernelBuilder,
  target: Target,
  gradient: Cell,
  winners: Expr<'ptr'>,
  tap: Expr<'int'>,
): Cell {
  const number = k.let(splat(toFloat(tap)));
  const winner = loadCell(k, target, winners);
  return gradient.map((part, index) =>
    select('eq', winner[index] ?? number, number, part, float('vec', 0)),
  );
}

function sharedGradient(
  k: KernelBuilder,
  pooling: Pooling,
  gradient: Cell,
  row: Expr<'int'>,
  column: Expr<'int'>,
): Cell {
  const share = windowShare(k, windowsAt(k, pooling, row, column));
  return gradient.map((part) => div(part, share));
}
