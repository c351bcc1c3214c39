import { defineKernel } from '../ir/builder.js';
import { add, advance, div, float, intMul, mul } from '../ir/expressions.js';
import type { Kernel, Target } from '../ir/types.js';
import { origin, type Planes } from './planes.js';
import { loadCell, storeCell, zeroCell } from './tiles.js';

/** forward(x, y): y = each channel's sum in row-major order, divided by its cells; y is flat. */
export function globalPoolForward(name: string, target: Target, input: Planes): Kernel {
  const cells = float('vec', input.rows * input.columns);
  return defineKernel(name, { x: 'ptr', y: 'ptr' }, (k, args) => {
    const plane = k.let(advance(args.x, origin(input)));
    const out = k.let(args.y);
    k.loop(0, input.channels, () => {
      const sum = zeroCell(k, target);
      k.loop(0, input.rows, (row) => {
        const cell = k.let(advance(plane, intMul(row, input.rowStride)));
        k.loop(0, input.columns, () => {
          loadCell(k, target, cell).forEach((value, part) => {
            const total = sum[part];
            if (total) k.set(total, add(total, value));
          });
          k.move(cell, input.lanes);
        });
      });
      storeCell(
        k,
        target,
        out,
        0,
        sum.map((total) => div(total, cells)),
      );
      k.move(plane, input.channelStride);
      k.move(out, target.lanes);
    });
  });
}

/** backward(dy, dx): every cell of a channel gets its share of the gradient; dx has no border. */
export function globalPoolBackward(name: string, target: Target, dx: Planes): Kernel {
  const share = float('vec', 1 / (dx.rows * dx.columns));
  return defineKernel(name, { dy: 'ptr', dx: 'ptr' }, (k, args) => {
    const d = k.let(args.dy);
    const out = k.let(args.dx);
    k.loop(0, dx.channels, () => {
      const gradient = loadCell(k, target, d).map((part) => k.let(mul(part, share)));
      k.loop(0, dx.rows * dx.columns, () => {
        storeCell(k, target, out, 0, gradient);
        k.move(out, target.lanes);
      });
      k.move(d, target.lanes);
    });
  });
}
