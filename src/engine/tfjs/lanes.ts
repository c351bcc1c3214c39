import { defineKernel, type KernelBuilder } from '../ir/builder.js';
import {
  advance,
  float,
  intMin,
  intMul,
  intSub,
  load,
  mul,
  select,
  toFloat,
} from '../ir/expressions.js';
import type { Expr, Kernel } from '../ir/types.js';
import { origin, type Planes } from '../kernels/planes.js';
import { forTiles, range, tiling } from '../kernels/tiles.js';

/**
 * TensorFlow.js keeps samples one after the other, [row][column][channel] each; our kernels want
 * planes whose lanes are samples. These two kernels carry values from one to the other.
 */

/** Channels that are moved before the pointers are: what is left of a loop's cost. */
const CHANNELS_AT_ONCE = 4;

/** gather(samples, count, planes): lane i = sample i, and zeros from lane `count` on. */
export function gatherLanes(name: string, planes: Planes): Kernel {
  const params = { samples: 'ptr', count: 'int', planes: 'ptr' } as const;
  return defineKernel(name, params, (k, args) => {
    const count = k.let(args.count);
    const sources = range(planes.lanes).map((lane) => ({
      lane,
      at: k.let(advance(args.samples, sampleOf(lane, count, planes))),
      factor: k.let(
        select('lt', float('f32', lane), toFloat(count), float('f32', 1), float('f32', 0)),
      ),
    }));
    forCells(k, planes, args.planes, (cell, channels) => {
      for (const channel of range(channels)) {
        for (const { lane, at, factor } of sources) {
          const value = mul(load('f32', at, channel), factor);
          k.store(cell, channel * planes.channelStride + lane, value);
        }
      }
      for (const { at } of sources) k.move(at, channels);
    });
  });
}

/** scatter(planes, count, samples): sample i = lane i, for the lanes below `count`. */
export function scatterLanes(name: string, planes: Planes): Kernel {
  const params = { planes: 'ptr', count: 'int', samples: 'ptr' } as const;
  return defineKernel(name, params, (k, args) => {
    const count = k.let(args.count);
    // The lanes beyond write into the last sample too, which its own lane then overwrites.
    const targets = range(planes.lanes)
      .toReversed()
      .map((lane) => ({
        lane,
        at: k.let(advance(args.samples, sampleOf(lane, count, planes))),
      }));
    forCells(k, planes, args.planes, (cell, channels) => {
      for (const channel of range(channels)) {
        for (const { lane, at } of targets) {
          k.store(at, channel, load('f32', cell, channel * planes.channelStride + lane));
        }
      }
      for (const { at } of targets) k.move(at, channels);
    });
  });
}

/** Where the sample of a lane begins: that of the last sample, for the lanes that have none. */
function sampleOf(lane: number, count: Expr<'int'>, planes: Planes): Expr<'int'> {
  const size = planes.rows * planes.columns * planes.channels;
  return intMul(intMin(lane, intSub(count, 1)), size);
}

/** Walks the cells in the order of a sample's values, some channels at a time. */
function forCells(
  k: KernelBuilder,
  planes: Planes,
  pointer: Expr<'ptr'>,
  write: (cell: Expr<'ptr'>, channels: number) => void,
): void {
  const first = k.let(advance(pointer, origin(planes)));
  k.loop(0, planes.rows, (row) => {
    const column = k.let(advance(first, intMul(row, planes.rowStride)));
    k.loop(0, planes.columns, () => {
      const cell = k.let(column);
      forTiles(k, tiling(planes.channels, CHANNELS_AT_ONCE), (_, channels) => {
        write(cell, channels);
        k.move(cell, channels * planes.channelStride);
      });
      k.move(column, planes.lanes);
    });
  });
}
