import type { ActivationName, Pair } from '../../model/layers.js';
import { type KernelBuilder, defineKernel } from '../ir/builder.js';
import {
  add,
  advance,
  float,
  intAdd,
  intDiv,
  intMax,
  intMin,
  intMul,
  intRem,
  intSub,
  load,
  mul,
  sumLanes,
} from '../ir/expressions.js';
import { type Expr, type Kernel, LANES, type Target, type Variable } from '../ir/types.js';
import { activate } from './math.js';
import { origin, type Planes } from './planes.js';
import {
  addProducts,
  type CellVariable,
  forTiles,
  loadCell,
  partOffsets,
  range,
  splatCell,
  storeCell,
  tiling,
  zeroCell,
} from './tiles.js';

/**
 * A convolution y = x * w + b. Weights are [kernel row][kernel column][in][out]. `input` has the
 * padding as its border; `output` may have the border of the layer that follows.
 */
export interface Convolution {
  readonly input: Planes;
  readonly output: Planes;
  readonly kernel: Pair;
  readonly strides: Pair;
}

/**
 * Register tiles; they change no order of summation, so no bit of any result. They are small, and
 * the loops around them are not unrolled: V8 moves the loads of a straight run of code before its
 * arithmetic, so a longer run than the registers hold goes through the stack.
 */
const FORWARD_TILE = 4;
const INPUT_GRADIENT_TILE = 4;
const WEIGHT_GRADIENT_TILE = { filters: 2, columns: 3 };

/** Distance in the weights from one input channel, or one tap, to the next. */
function weightStrides({ input, output }: Convolution): { channel: number; tap: number } {
  return { channel: output.channels, tap: input.channels * output.channels };
}

/**
 * Adds to the sums of a tile of filters the products of one output position. `x` points at the
 * window's first cell, `w` at the tile's first weight. Order of summation: input channel, kernel
 * row, kernel column.
 */
export function accumulateWindow(
  k: KernelBuilder,
  target: Target,
  convolution: Convolution,
  sums: readonly CellVariable[],
  window: Expr<'ptr'>,
  weights: Expr<'ptr'>,
): void {
  const { input, kernel } = convolution;
  const { channel, tap } = weightStrides(convolution);
  const filters = range(sums.length);
  const x = k.let(window);
  const w = k.let(weights);
  k.loop(0, input.channels, () => {
    k.loop(0, kernel[0], () => {
      k.loop(0, kernel[1], () => {
        addProducts(k, sums, loadCell(k, target, x), w, filters);
        k.move(x, LANES);
        k.move(w, tap);
      });
      k.move(x, input.rowStride - kernel[1] * LANES);
    });
    k.move(x, input.channelStride - kernel[0] * input.rowStride);
    k.move(w, channel - kernel[0] * kernel[1] * tap);
  });
}

/** forward(x, weights, bias, y): y = activation(x * w + b) */
export function convolutionForward(
  name: string,
  target: Target,
  convolution: Convolution,
  activation?: ActivationName,
): Kernel {
  const { input, output, strides } = convolution;
  const params = { x: 'ptr', weights: 'ptr', bias: 'ptr', y: 'ptr' } as const;
  return defineKernel(name, params, (k, { x, weights, bias, y }) => {
    forTiles(k, tiling(output.channels, FORWARD_TILE), (first, size) => {
      const w = k.let(advance(weights, first));
      const b = k.let(advance(bias, first));
      const out = k.let(advance(y, intAdd(intMul(first, output.channelStride), origin(output))));
      k.loop(0, output.rows, (row) => {
        const window = k.let(advance(x, intMul(row, strides[0] * input.rowStride)));
        const at = k.let(advance(out, intMul(row, output.rowStride)));
        k.loop(0, output.columns, () => {
          const sums = range(size).map((filter) => splatCell(k, target, b, filter));
          accumulateWindow(k, target, convolution, sums, window, w);
          sums.forEach((sum, filter) => {
            const value = sum.map((part) => activate(k, activation, part));
            storeCell(k, target, at, filter * output.channelStride, value);
          });
          k.move(window, strides[1] * LANES);
          k.move(at, LANES);
        });
      });
    });
  });
}

/**
 * weightGradient(x, dy, gradient): gradient[row][column][in][out] = sum over positions in
 * row-major order, then over lanes, of x * dy; dy has no border.
 */
export function convolutionWeightGradient(
  name: string,
  target: Target,
  convolution: Convolution,
  dy: Planes,
): Kernel {
  const { input, kernel } = convolution;
  const { channel: channelStep, tap } = weightStrides(convolution);
  const columnTiling = tiling(kernel[1], WEIGHT_GRADIENT_TILE.columns);
  const filterTiling = tiling(dy.channels, WEIGHT_GRADIENT_TILE.filters);
  const params = { x: 'ptr', dy: 'ptr', gradient: 'ptr' } as const;
  return defineKernel(name, params, (k, args) => {
    forTiles(k, filterTiling, (filter, filters) => {
      const gradients = k.let(advance(args.dy, intMul(filter, dy.channelStride)));
      k.loop(0, kernel[0], (row) => {
        forTiles(k, columnTiling, (column, columns) => {
          const taps = k.let(
            advance(args.x, intAdd(intMul(row, input.rowStride), intMul(column, LANES))),
          );
          const out = k.let(
            advance(
              args.gradient,
              intAdd(intMul(intAdd(intMul(row, kernel[1]), column), tap), filter),
            ),
          );
          k.loop(0, input.channels, () => {
            tapSums(k, target, convolution, dy, { filters, columns, taps, gradients, out, tap });
            k.move(taps, input.channelStride);
            k.move(out, channelStep);
          });
        });
      });
    });
  });
}

interface TapTile {
  readonly filters: number;
  readonly columns: number;
  readonly taps: Expr<'ptr'>;
  readonly gradients: Expr<'ptr'>;
  readonly out: Expr<'ptr'>;
  readonly tap: number;
}

/**
 * One input channel's weight gradients for a tile of filters x kernel columns. The parts of the
 * lanes are walked one after the other: more sums fit in registers than with all parts at once.
 */
function tapSums(
  k: KernelBuilder,
  target: Target,
  { input, strides }: Convolution,
  dy: Planes,
  { filters, columns, taps, gradients, out, tap }: TapTile,
): void {
  const tile = range(columns).flatMap((column) =>
    range(filters).map((filter) => ({ column, filter })),
  );
  const parts = partOffsets(target).map((part) => {
    const sums = tile.map(() => k.let(float('vec', 0)));
    const x = k.let(advance(taps, part));
    const d = k.let(advance(gradients, part));
    const rowEnd = strides[0] * input.rowStride - dy.columns * strides[1] * LANES;
    k.loop(0, dy.rows, () => {
      k.loop(0, dy.columns, () => {
        const xs = range(columns).map((column) => k.let(load('vec', x, column * LANES)));
        range(filters).forEach((filter) => {
          const g = k.let(load('vec', d, filter * dy.channelStride));
          tile.forEach((entry, index) => {
            const sum = sums[index];
            const value = xs[entry.column];
            if (entry.filter === filter && sum && value) k.set(sum, add(sum, mul(value, g)));
          });
        });
        k.move(x, strides[1] * LANES);
        k.move(d, LANES);
      });
      k.move(x, rowEnd);
    });
    return sums;
  });
  tile.forEach(({ column, filter }, index) => {
    const lanes = parts.flatMap((sums) => sums[index] ?? []);
    k.store(out, column * tap + filter, sumLanes(lanes));
  });
}

/** biasGradient(dy, gradient): gradient[channel] = sum over positions, then over lanes, of dy. */
export function biasGradient(name: string, target: Target, dy: Planes): Kernel {
  return defineKernel(name, { dy: 'ptr', gradient: 'ptr' }, (k, args) => {
    const d = k.let(args.dy);
    const out = k.let(args.gradient);
    k.loop(0, dy.channels, () => {
      const sum = zeroCell(k, target);
      k.loop(0, dy.rows * dy.columns, () => {
        loadCell(k, target, d).forEach((value, part) => {
          const total = sum[part];
          if (total) k.set(total, add(total, value));
        });
        k.move(d, LANES);
      });
      k.store(out, 0, sumLanes(sum));
      k.move(out, 1);
    });
  });
}

/**
 * inputGradient(dy, weights, dx): what each input cell did to the loss. Only the taps that reach
 * an output are walked. Order of summation: kernel row, kernel column, filter. Neither dy nor dx
 * has a border.
 */
export function convolutionInputGradient(
  name: string,
  target: Target,
  convolution: Convolution,
  dy: Planes,
  dx: Planes,
): Kernel {
  const { input, kernel, strides } = convolution;
  const { channel, tap } = weightStrides(convolution);
  const params = { dy: 'ptr', weights: 'ptr', dx: 'ptr' } as const;
  return defineKernel(name, params, (k, args) => {
    forTiles(k, tiling(dx.channels, INPUT_GRADIENT_TILE), (first, size) => {
      const w = k.let(advance(args.weights, intMul(first, channel)));
      const out = k.let(advance(args.dx, intMul(first, dx.channelStride)));
      k.loop(0, dx.rows, (row) => {
        const rows = reachingTaps(k, intAdd(row, input.top), kernel[0], strides[0], dy.rows);
        k.loop(0, dx.columns, (column) => {
          const columns = reachingTaps(
            k,
            intAdd(column, input.left),
            kernel[1],
            strides[1],
            dy.columns,
          );
          const sums = range(size).map(() => zeroCell(k, target));
          const d = k.let(
            advance(
              args.dy,
              intAdd(intMul(rows.output, dy.rowStride), intMul(columns.output, LANES)),
            ),
          );
          const rowWeights = k.let(
            advance(w, intMul(intAdd(intMul(rows.first, kernel[1]), columns.first), tap)),
          );
          k.loop(
            rows.first,
            rows.end,
            () => {
              const at = k.let(d);
              const weights = k.let(rowWeights);
              k.loop(
                columns.first,
                columns.end,
                () => {
                  addFilters(k, target, dy, sums, at, weights, channel);
                  k.move(at, -LANES);
                  k.move(weights, strides[1] * tap);
                },
                strides[1],
              );
              k.move(d, -dy.rowStride);
              k.move(rowWeights, strides[0] * kernel[1] * tap);
            },
            strides[0],
          );
          sums.forEach((sum, index) => {
            storeCell(k, target, out, index * dx.channelStride, sum);
          });
          k.move(out, LANES);
        });
      });
    });
  });
}

function addFilters(
  k: KernelBuilder,
  target: Target,
  dy: Planes,
  sums: readonly CellVariable[],
  from: Expr<'ptr'>,
  weights: Expr<'ptr'>,
  channel: number,
): void {
  const d = k.let(from);
  const w = k.let(weights);
  const offsets = sums.map((_, index) => index * channel);
  k.loop(0, dy.channels, () => {
    addProducts(k, sums, loadCell(k, target, d), w, offsets);
    k.move(d, dy.channelStride);
    k.move(w, 1);
  });
}

interface Taps {
  readonly first: Variable<'int'>;
  readonly end: Variable<'int'>;
  /** The output that the first tap reaches; each further tap reaches the one before. */
  readonly output: Expr<'int'>;
}

/**
 * The taps t of one axis for which (cell - t) / stride is an output, from the first on in steps
 * of the stride. `cell` counts from the border's edge.
 */
export function reachingTaps(
  k: KernelBuilder,
  cell: Expr<'int'>,
  size: number,
  stride: number,
  outputs: number,
): Taps {
  const position = k.let(cell);
  const first = k.let(intMax(intSub(position, stride * (outputs - 1)), intRem(position, stride)));
  const end = k.let(intMin(intAdd(position, 1), size));
  return { first, end, output: intDiv(intSub(position, first), stride) };
}
