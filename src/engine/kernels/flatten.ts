import { type KernelBuilder, defineKernel } from '../ir/builder.js';
import { advance, intMul } from '../ir/expressions.js';
import type { Expr, Kernel, Target } from '../ir/types.js';
import { origin, type Planes } from './planes.js';
import { loadCell, storeCell } from './tiles.js';

/** Calls `write` for each value of an image in TensorFlow's order, [row][column][channel]. */
function inOrder(
  k: KernelBuilder,
  image: Planes,
  pointers: { image: Expr<'ptr'>; flat: Expr<'ptr'> },
  write: (image: Expr<'ptr'>, flat: Expr<'ptr'>) => void,
): void {
  const plane = k.let(advance(pointers.image, origin(image)));
  const flat = k.let(pointers.flat);
  k.loop(0, image.rows, (row) => {
    const cell = k.let(advance(plane, intMul(row, image.rowStride)));
    k.loop(0, image.columns, () => {
      const value = k.let(cell);
      k.loop(0, image.channels, () => {
        write(value, flat);
        k.move(value, image.channelStride);
        k.move(flat, image.lanes);
      });
      k.move(cell, image.lanes);
    });
  });
}

/** forward(x, y): the values of an image x one after the other in y, which is flat. */
export function flattenForward(name: string, target: Target, input: Planes): Kernel {
  return defineKernel(name, { x: 'ptr', y: 'ptr' }, (k, { x, y }) => {
    inOrder(k, input, { image: x, flat: y }, (image, flat) => {
      storeCell(k, target, flat, 0, loadCell(k, target, image));
    });
  });
}

/** backward(dy, dx): the gradients of flat values where the image's values are. */
export function flattenBackward(name: string, target: Target, dx: Planes): Kernel {
  return defineKernel(name, { dy: 'ptr', dx: 'ptr' }, (k, args) => {
    inOrder(k, dx, { image: args.dx, flat: args.dy }, (image, flat) => {
      storeCell(k, target, image, 0, loadCell(k, target, flat));
    });
  });
}
