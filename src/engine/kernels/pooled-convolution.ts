import type { Activation, Pair } from '../../model/layers.js';
import { defineKernel } from '../ir/builder.js';
import { add, advance, float, intAdd, intMul, load, select } from '../ir/expressions.js';
import { type Kernel, type Target } from '../ir/types.js';
import { accumulateWindow, type Convolution } from './convolution.js';
import { activate, activationGradient } from './math.js';
import { origin, type Planes } from './planes.js';
import { forTiles, loadCell, partOffsets, range, splatCell, storeCell, tiling } from './tiles.js';

/** A convolution whose activation and max-pooling follow at once; the windows do not overlap. */
export interface PooledConvolution extends Convolution {
  /** The convolution's own outputs, before the pool: never stored. */
  readonly unpooled: Planes;
  /** The pool's window, which is also its stride. */
  readonly pool: Pair;
}

/**
 * forward(x, weights, bias, y, winners): as convolution, pool and activation one after the other
 * (the activation is monotone, so it commutes with the maximum). What is kept is the pooled value
 * and its winner, not the values before the pool.
 */
export function pooledConvolutionForward(
  name: string,
  target: Target,
  convolution: PooledConvolution,
  activation?: Activation,
): Kernel {
  const { input, output, strides, pool } = convolution;
  const tile = target.tiles.pooledConvolution;
  const columns = pool[1] % tile.columns === 0 ? tile.columns : 1;
  const params = { x: 'ptr', weights: 'ptr', bias: 'ptr', y: 'ptr', winners: 'ptr' } as const;
  const winnersPlane = output.rows * output.columns * target.lanes;
  return defineKernel(name, params, (k, { x, weights, bias, y, winners }) => {
    forTiles(k, tiling(output.channels, tile.filters), (first, size) => {
      const w = k.let(advance(weights, first));
      const b = k.let(advance(bias, first));
      const out = k.let(advance(y, intAdd(intMul(first, output.channelStride), origin(output))));
      const won = k.let(advance(winners, intMul(first, winnersPlane)));
      k.loop(0, output.rows, (row) => {
        const windows = k.let(advance(x, intMul(row, pool[0] * strides[0] * input.rowStride)));
        const at = k.let(advance(out, intMul(row, output.rowStride)));
        k.loop(0, output.columns, () => {
          range(size).forEach((filter) => {
            const lowest = partOffsets(target).map(() => float('vec', -Infinity));
            storeCell(k, target, at, filter * output.channelStride, lowest);
          });
          const tap = k.let(float('vec', 0));
          const windowRow = k.let(windows);
          k.loop(0, pool[0], () => {
            const window = k.let(windowRow);
            k.loop(0, pool[1] / columns, () => {
              const sums = range(columns).map(() =>
                range(size).map((filter) => splatCell(k, target, b, filter)),
              );
              accumulateWindow(k, target, convolution, sums, window, w);
              for (const row of sums) {
                row.forEach((sum, filter) => {
                  const best = filter * output.channelStride;
                  partOffsets(target).forEach((part, index) => {
                    const value = sum[index];
                    if (!value) return;
                    const greatest = k.let(load('vec', at, best + part));
                    const winner = load('vec', won, filter * winnersPlane + part);
                    k.store(
                      won,
                      filter * winnersPlane + part,
                      select('gt', value, greatest, tap, winner),
                    );
                    k.store(at, best + part, select('gt', value, greatest, value, greatest));
                  });
                });
                k.set(tap, add(tap, float('vec', 1)));
              }
              k.move(window, columns * strides[1] * target.lanes);
            });
            k.move(windowRow, strides[0] * input.rowStride);
          });
          if (activation) {
            range(size).forEach((filter) => {
              const value = loadCell(k, target, at, filter * output.channelStride);
              const active = value.map((part) => activate(k, activation, part));
              storeCell(k, target, at, filter * output.channelStride, active);
            });
          }
          k.move(windows, pool[1] * strides[1] * target.lanes);
          k.move(at, target.lanes);
          k.move(won, target.lanes);
        });
      });
    });
  });
}

/**
 * spread(y, winners, dy, spreadOut): the gradient before the pool and the activation, from the
 * gradient dy after them. Cells outside every window are never written.
 */
export function spreadPooledGradient(
  name: string,
  target: Target,
  { output, unpooled, pool }: PooledConvolution,
  activation?: Activation,
): Kernel {
  const params = { y: 'ptr', winners: 'ptr', dy: 'ptr', spread: 'ptr' } as const;
  return defineKernel(name, params, (k, args) => {
    const y = k.let(advance(args.y, origin(output)));
    const winners = k.let(args.winners);
    const dy = k.let(args.dy);
    const out = k.let(args.spread);
    k.loop(0, output.channels, () => {
      k.loop(0, output.rows, (row) => {
        const value = k.let(advance(y, intMul(row, output.rowStride)));
        const block = k.let(advance(out, intMul(row, pool[0] * unpooled.rowStride)));
        k.loop(0, output.columns, () => {
          for (const part of partOffsets(target)) {
            const gradient = load('vec', dy, part);
            const before = k.let(
              activation
                ? activationGradient(activation, k.let(load('vec', value, part)), gradient)
                : gradient,
            );
            const winner = k.let(load('vec', winners, part));
            range(pool[0] * pool[1]).forEach((tap) => {
              const cell =
                Math.floor(tap / pool[1]) * unpooled.rowStride + (tap % pool[1]) * target.lanes;
              const won = select('eq', winner, float('vec', tap), before, float('vec', 0));
              k.store(block, cell + part, won);
            });
          }
          k.move(value, target.lanes);
          k.move(winners, target.lanes);
          k.move(dy, target.lanes);
          k.move(block, pool[1] * target.lanes);
        });
      });
      k.move(y, output.channelStride);
      k.move(out, unpooled.channelStride);
    });
  });
}
