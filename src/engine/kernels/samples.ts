import { sampleBytesOf } from '../../data/dataset.js';
import { tablesOf } from '../../data/normalise.js';
import type { InputType } from '../../model/layers.js';
import { defineKernel } from '../ir/builder.js';
import {
  advance,
  advanceBytes,
  float,
  intAdd,
  intMul,
  load,
  loadByte,
  loadInt,
  select,
  toFloat,
} from '../ir/expressions.js';
import type { Kernel } from '../ir/types.js';
import { origin, type Planes } from './planes.js';
import { range } from './tiles.js';

/**
 * gather(images, labels, table, indices, count, x, targets, mask): fills lane s with sample
 * indices[s]. `images` holds [row][column][channel] a sample: float32 values, or bytes, whose values
 * are table[channel * 256 + byte], or table[byte] where one table serves all channels.
 * targets = the label, mask = 1 for lanes below count, else 0.
 */
export function gatherSamples(name: string, x: Planes, inputType: InputType): Kernel {
  const sampleBytes = sampleBytesOf([x.rows, x.columns, x.channels], inputType);
  const cellBytes = sampleBytesOf([x.channels], inputType);
  const tables = tablesOf(x.channels);
  const params = {
    images: 'ptr',
    labels: 'ptr',
    table: 'ptr',
    indices: 'ptr',
    count: 'int',
    x: 'ptr',
    targets: 'ptr',
    mask: 'ptr',
  } as const;
  return defineKernel(name, params, (k, args) => {
    const count = k.let(toFloat(args.count));
    const one = float('f32', 1);
    const zero = float('f32', 0);
    const images = range(x.lanes).map((lane) => {
      const index = k.let(loadInt(args.indices, lane));
      k.store(args.targets, lane, toFloat(loadByte(args.labels, index)));
      k.store(args.mask, lane, select('lt', float('f32', lane), count, one, zero));
      return k.let(advanceBytes(args.images, intMul(index, sampleBytes)));
    });
    k.loop(0, x.rows, (row) => {
      const cells = k.let(advance(args.x, intAdd(origin(x), intMul(row, x.rowStride))));
      k.loop(0, x.columns, () => {
        for (const channel of range(x.channels)) {
          images.forEach((image, lane) => {
            const table = tables === 1 ? 0 : channel * 256;
            const value =
              inputType === 'float32'
                ? load('f32', image, channel)
                : load('f32', advance(args.table, loadByte(image, channel)), table);
            k.store(cells, channel * x.channelStride + lane, value);
          });
        }
        for (const image of images) k.set(image, advanceBytes(image, cellBytes));
        k.move(cells, x.lanes);
      });
    });
  });
}
