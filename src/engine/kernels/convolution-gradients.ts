import { type KernelBuilder, defineKernel } from '../ir/builder.js';
import { add, advance, float, intAdd, intMul, load, mul, sumLanes } from '../ir/expressions.js';
import { type Expr, type Kernel, type Target, type Variable } from '../ir/types.js';
import { type Convolution, weightStrides } from './convolution.js';
import type { Planes } from './planes.js';
import { reachingTaps, type Taps } from './taps.js';
import {
  addProducts,
  type CellVariable,
  forTiles,
  loadCell,
  partOffsets,
  range,
  storeCell,
  tiling,
  zeroCell,
} from './tiles.js';

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
  const { columns: mostColumns, sums } = target.tiles.convolutionWeights;
  const columnTiling = tiling(kernel[1], mostColumns);
  const filterTiling = tiling(dy.channels, Math.floor(sums / columnTiling.tile));
  const params = { x: 'ptr', dy: 'ptr', gradient: 'ptr' } as const;
  return defineKernel(name, params, (k, args) => {
    forTiles(k, filterTiling, (filter, filters) => {
      const gradients = k.let(advance(args.dy, intMul(filter, dy.channelStride)));
      k.loop(0, kernel[0], (row) => {
        forTiles(k, columnTiling, (column, columns) => {
          const taps = k.let(
            advance(args.x, intAdd(intMul(row, input.rowStride), intMul(column, target.lanes))),
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
    const rowEnd = strides[0] * input.rowStride - dy.columns * strides[1] * target.lanes;
    k.loop(0, dy.rows, () => {
      k.loop(0, dy.columns, () => {
        const xs = range(columns).map((column) => k.let(load('vec', x, column * target.lanes)));
        range(filters).forEach((filter) => {
          const g = k.let(load('vec', d, filter * dy.channelStride));
          tile.forEach((entry, index) => {
            const sum = sums[index];
            const value = xs[entry.column];
            if (entry.filter === filter && sum && value) k.set(sum, add(sum, mul(value, g)));
          });
        });
        k.move(x, strides[1] * target.lanes);
        k.move(d, target.lanes);
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
        k.move(d, target.lanes);
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
  const tile = target.tiles.convolutionInput;
  const params = { dy: 'ptr', weights: 'ptr', dx: 'ptr' } as const;
  return defineKernel(name, params, (k, args) => {
    forTiles(k, tiling(dx.channels, tile.channels), (first, size) => {
      const w = k.let(advance(args.weights, intMul(first, channel)));
      const out = k.let(advance(args.dx, intMul(first, dx.channelStride)));
      k.loop(0, dx.rows, (row) => {
        const rows = reachingTaps(k, intAdd(row, input.top), kernel[0], strides[0], dy.rows);
        const neighbours = strides[1] === 1 ? tile.columns : 1;
        forTiles(k, tiling(dx.columns, neighbours), (column, columns) => {
          const tapsOf = (index: number): Taps =>
            reachingTaps(k, intAdd(column, input.left + index), kernel[1], strides[1], dy.columns);
          const taps = tapsOf(0);
          const parts = columns === 1 ? [{ ...taps, cells: [0] }] : inParts(taps, tapsOf(1));
          const sums = range(columns).map(() => range(size).map(() => zeroCell(k, target)));
          const d = k.let(
            advance(
              args.dy,
              intAdd(intMul(rows.output, dy.rowStride), intMul(taps.output, target.lanes)),
            ),
          );
          const rowWeights = k.let(
            advance(w, intMul(intAdd(intMul(rows.first, kernel[1]), taps.first), tap)),
          );
          k.loop(
            rows.first,
            rows.end,
            () => {
              const at = k.let(d);
              const weights = k.let(rowWeights);
              for (const { first, end, cells } of parts) {
                k.loop(
                  first,
                  end,
                  () => {
                    addFilters(k, target, dy, sums, cells, at, weights, channel);
                    k.move(at, -target.lanes);
                    k.move(weights, strides[1] * tap);
                  },
                  strides[1],
                );
              }
              k.move(d, -dy.rowStride);
              k.move(rowWeights, strides[0] * kernel[1] * tap);
            },
            strides[0],
          );
          sums.forEach((cells, index) => {
            cells.forEach((sum, channel) => {
              storeCell(k, target, out, channel * dx.channelStride + index * target.lanes, sum);
            });
          });
          k.move(out, columns * target.lanes);
        });
      });
    });
  });
}

/** The taps of two neighbours, of which the first alone has some, then both, then the second. */
function inParts(
  left: Taps,
  right: Taps,
): { first: Variable<'int'>; end: Variable<'int'>; cells: number[] }[] {
  return [
    { first: left.first, end: right.first, cells: [0] },
    { first: right.first, end: left.end, cells: [0, 1] },
    { first: left.end, end: right.end, cells: [1] },
  ];
}

/** Adds one tap's products to the sums [cell][input channel] of some of the neighbouring cells. */
function addFilters(
  k: KernelBuilder,
  target: Target,
  dy: Planes,
  sums: readonly (readonly CellVariable[])[],
  cells: readonly number[],
  from: Expr<'ptr'>,
  weights: Expr<'ptr'>,
  channel: number,
): void {
  const d = k.let(from);
  const w = k.let(weights);
  const offsets = range(sums[0]?.length ?? 0).map((index) => index * channel);
  k.loop(0, dy.channels, () => {
    const gradients = cells.map((cell) => loadCell(k, target, d, cell * target.lanes));
    addProducts(
      k,
      cells.map((cell) => sums[cell] ?? []),
      gradients,
      w,
      offsets,
    );
    k.move(d, dy.channelStride);
    k.move(w, 1);
  });
}
