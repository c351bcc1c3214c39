import type { Activation } from '../../model/layers.js';
import { type KernelBuilder, defineKernel } from '../ir/builder.js';
import { add, advance, intMin, intMul, load, mul } from '../ir/expressions.js';
import type { Expr, FloatType, Kernel, Target } from '../ir/types.js';
import { activate, activationGradient } from './math.js';
import { origin, type Planes } from './planes.js';
import { loadCell, partOffsets, storeCell } from './tiles.js';

interface Side {
  readonly planes: Planes;
  readonly pointer: Expr<'ptr'>;
}

const NO_CELLS = { channels: 0, rows: 0, columns: 0 };

/** Walks the cells of planes of one shape, whatever their borders. */
function forCells(
  k: KernelBuilder,
  sides: readonly Side[],
  write: (...cells: readonly Expr<'ptr'>[]) => void,
): void {
  const walked = sides.map(({ planes, pointer }) => ({
    planes,
    plane: k.let(advance(pointer, origin(planes))),
  }));
  const [{ channels, rows, columns } = NO_CELLS] = sides.map(({ planes }) => planes);
  k.loop(0, channels, () => {
    k.loop(0, rows, (row) => {
      const cells = walked.map(({ planes, plane }) =>
        k.let(advance(plane, intMul(row, planes.rowStride))),
      );
      k.loop(0, columns, () => {
        write(...cells);
        cells.forEach((cell, index) => {
          k.move(cell, walked[index]?.planes.lanes ?? 0);
        });
      });
    });
    for (const { planes, plane } of walked) k.move(plane, planes.channelStride);
  });
}

/** forward(x, y): y = activation(x); without an activation, a copy. */
export function activationForward(
  name: string,
  target: Target,
  input: Planes,
  output: Planes,
  activation?: Activation,
): Kernel {
  return defineKernel(name, { x: 'ptr', y: 'ptr' }, (k, { x, y }) => {
    const sides = [
      { planes: input, pointer: x },
      { planes: output, pointer: y },
    ];
    forCells(k, sides, (from, to) => {
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
  activation: Activation,
): Kernel {
  return defineKernel(name, { y: 'ptr', dy: 'ptr' }, (k, args) => {
    const sides = [
      { planes: output, pointer: args.y },
      { planes: dy, pointer: args.dy },
    ];
    forCells(k, sides, (y, d) => {
      for (const part of partOffsets(target)) {
        const value = k.let(load('vec', y, part));
        k.store(d, part, activationGradient(activation, value, load('vec', d, part)));
      }
    });
  });
}

/** combine(a, b, y): y = a + b, or a * b, value by value; y may be a or b. */
export function combinePlanes(
  name: string,
  target: Target,
  operation: 'add' | 'mul',
  [a, b, y]: readonly [Planes, Planes, Planes],
): Kernel {
  const combine = { add, mul }[operation];
  return defineKernel(name, { a: 'ptr', b: 'ptr', y: 'ptr' }, (k, args) => {
    const sides = [
      { planes: a, pointer: args.a },
      { planes: b, pointer: args.b },
      { planes: y, pointer: args.y },
    ];
    forCells(k, sides, (left, right, to) => {
      for (const part of partOffsets(target)) {
        k.store(to, part, combine(load('vec', left, part), load('vec', right, part)));
      }
    });
  });
}

/**
 * Runs `write` over `count` float32 values from pointer on, a vector at a time and the last ones
 * one by one; `write` gets the type to work in and the index of the first value.
 * @param part of the values, all unless given: from a multiple of the vectors' width on, and to one
 * or beyond the end
 */
export function forValues(
  k: KernelBuilder,
  target: Target,
  count: number,
  write: (type: FloatType, index: Expr<'int'>) => void,
  part?: { readonly first: Expr<'int'>; readonly last: Expr<'int'> },
): void {
  const whole = count - (count % target.width);
  if (whole > 0) {
    k.loop(
      part?.first ?? 0,
      part ? intMin(part.last, whole) : whole,
      (index) => {
        write('vec', index);
      },
      target.width,
    );
  }
  if (whole < count) {
    k.loop(whole, part ? intMin(part.last, count) : count, (index) => {
      write('f32', index);
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
