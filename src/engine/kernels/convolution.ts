import type { Activation, Pair } from '../../model/layers.js';
import { type KernelBuilder, defineKernel } from '../ir/builder.js';
import { advance, intAdd, intMul } from '../ir/expressions.js';
import { type Expr, type Kernel, type Target } from '../ir/types.js';
import { activate } from './math.js';
import { origin, type Planes } from './planes.js';
import {
  addProducts,
  type CellVariable,
  forTiles,
  loadCell,
  range,
  splatCell,
  storeCell,
  tiling,
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

/** Distance in the weights from one input channel, or one tap, to the next. */
export function weightStrides({ input, output }: Convolution): { channel: number; tap: number } {
  return { channel: output.channels, tap: input.channels * output.channels };
}

/**
 * Adds to the sums [column][filter] of a tile of neighbouring outputs and filters their products.
 * `window` points at the first output's first cell, `weights` at the tile's first weight. Order of
 * summation: input channel, kernel row, kernel column.
 */
export function accumulateWindow(
  k: KernelBuilder,
  target: Target,
  convolution: Convolution,
  sums: readonly (readonly CellVariable[])[],
  window: Expr<'ptr'>,
  weights: Expr<'ptr'>,
): void {
  const { input, kernel, strides } = convolution;
  const { channel, tap } = weightStrides(convolution);
  const filters = range(sums[0]?.length ?? 0);
  const x = k.let(window);
  const w = k.let(weights);
  k.loop(0, input.channels, () => {
    k.loop(0, kernel[0], () => {
      k.loop(0, kernel[1], () => {
        const cells = sums.map((_, column) =>
          loadCell(k, target, x, column * strides[1] * target.lanes),
        );
        addProducts(k, sums, cells, w, filters);
        k.move(x, target.lanes);
        k.move(w, tap);
      });
      k.move(x, input.rowStride - kernel[1] * target.lanes);
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
  activation?: Activation,
): Kernel {
  const { input, output, strides } = convolution;
  const tile = target.tiles.convolution;
  const params = { x: 'ptr', weights: 'ptr', bias: 'ptr', y: 'ptr' } as const;
  return defineKernel(name, params, (k, { x, weights, bias, y }) => {
    forTiles(k, tiling(output.channels, tile.filters), (first, size) => {
      const w = k.let(advance(weights, first));
      const b = k.let(advance(bias, first));
      const out = k.let(advance(y, intAdd(intMul(first, output.channelStride), origin(output))));
      k.loop(0, output.rows, (row) => {
        const window = k.let(advance(x, intMul(row, strides[0] * input.rowStride)));
        const at = k.let(advance(out, intMul(row, output.rowStride)));
        forTiles(k, tiling(output.columns, tile.columns), (_, columns) => {
          const sums = range(columns).map(() =>
            range(size).map((filter) => splatCell(k, target, b, filter)),
          );
          accumulateWindow(k, target, convolution, sums, window, w);
          sums.forEach((row, column) => {
            row.forEach((sum, filter) => {
              const value = sum.map((part) => activate(k, activation, part));
              const place = filter * output.channelStride + column * target.lanes;
              storeCell(k, target, at, place, value);
            });
          });
          k.move(window, columns * strides[1] * target.lanes);
          k.move(at, columns * target.lanes);
        });
      });
    });
  });
}
