import type { ActivationName } from '../../model/layers.js';
import { type KernelBuilder, defineKernel } from '../ir/builder.js';
import { add, advance, intAdd, intMul, load } from '../ir/expressions.js';
import type { Expr, FloatType, Kernel, Target } from '../ir/types.js';
import { activate, activationGradient } from './math.js';
import { origin, type Planes } from './planes.js';
import { loadCell, partOffsets, storeCell } from './tiles.js';

/** Walks the cells of two planes of one shape, whatever their borders. */
function forBoth(
  k: KernelBuilder,
  a: { planes: Planes; pointer: Expr<'ptr'> },
  b: { planes: Planes; pointer: Expr<'ptr'> },
  write: (a: Expr<'ptr'>, b: Expr<'ptr'>) => void,
): void {
  const [from, to] = [a, b].map(({ planes, pointer }) => ({
    planes,
    plane: k.let(advance(pointer, origin(planes))),
  }));
  if (!from || !to) return;
  k.loop(0, a.planes.channels, () => {
    k.loop(0, a.planes.rows, (row) => {
      const first = k.let(advance(from.plane, intMul(row, from.planes.rowStride)));
      const second = k.let(advance(to.plane, intMul(row, to.planes.rowStride)));
      k.loop(0, a.planes.columns, () => {
        write(first, second);
        k.move(first, a.planes.lanes);
        k.move(second, a.planes.lanes);
      });
    });
    k.move(from.plane, from.planes.channelStride);
    k.move(to.plane, to.planes.channelStride);
  });
}

/** forward(x, y): y = activation(x); without an activation, a copy. */
export function activationForward(
  name: string,
  target: Target,
  input: Planes,
  output: Planes,
  activation?: ActivationName,
): Kernel {
  return defineKernel(name, { x: 'ptr', y: 'ptr' }, (k, { x, y }) => {
    forBoth(k, { planes: input, pointer: x }, { planes: output, pointer: y }, (from, to) => {
      const value = loadCell(k, target, from).map((part) => activate(k, activation, part));
      storeCell(k, target, to, 0, value);
    });
  });
}

/** backward(y, dy): dy, in place, becomes the gradient before the activation; dy has no border. */
export function activationBackward(
  name: string,
  target: Target,
  output: Planes,
  dy: Planes,
  activation: ActivationName,
): Kernel {
  return defineKernel(name, { y: 'ptr', dy: 'ptr' }, (k, args) => {
    forBoth(k, { planes: output, pointer: args.y }, { planes: dy, pointer: args.dy }, (y, d) => {
      for (const part of partOffsets(target)) {
        const value = k.let(load('vec', y, part));
        k.store(d, part, activationGradient(activation, value, load('vec', d, part)));
      }
    });
  });
}

/**
 * Runs `write` over `count` float32 values from pointer on, a vector at a time and the last ones
 * one by one; `write` gets the type to work in and the index of the first value.
 */
export function forValues(
  k: KernelBuilder,
  target: Target,
  count: number,
  write: (type: FloatType, index: Expr<'int'>) => void,
): void {
  const whole = count - (count % target.width);
  if (whole > 0) {
    k.loop(
      0,
      whole,
      (index) => {
        write('vec', index);
      },
      target.width,
    );
  }
  if (whole < count) {
    k.loop(0, count - whole, (index) => {
      write('f32', intAdd(index, whole));
    });
  }
}

/** add(left, right): left += right, value by value: one node of the reduction tree. */
export function addInPlace(name: string, target: Target, count: number): Kernel {
  return defineKernel(name, { left: 'ptr', right: 'ptr' }, (k, { left, right }) => {
    forValues(k, target, count, (type, index) => {
      const at = k.let(advance(left, index));
      k.store(at, 0, add<FloatType>(load(type, at), load(type, advance(right, index))));
    });
  });
}
