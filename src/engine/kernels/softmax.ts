import { type KernelBuilder, defineKernel } from '../ir/builder.js';
import { add, advance, div, float, intMul, load, mul, sub } from '../ir/expressions.js';
import type { Expr, Kernel, Target, Variable } from '../ir/types.js';
import { exp } from './math.js';
import { origin, type Planes } from './planes.js';
import { max, partOffsets } from './tiles.js';

interface Side {
  readonly planes: Planes;
  readonly pointer: Expr<'ptr'>;
}

/** Runs `write` at each row and column, with the first channel's cell there in each of the planes. */
function forPlaces(
  k: KernelBuilder,
  target: Target,
  sides: readonly Side[],
  write: (...first: readonly Expr<'ptr'>[]) => void,
): void {
  const [{ rows, columns, lanes } = NOWHERE] = sides.map(({ planes }) => planes);
  for (const part of partOffsets(target)) {
    k.loop(0, rows, (row) => {
      const cells = sides.map(({ planes, pointer }) =>
        k.let(advance(advance(pointer, origin(planes) + part), intMul(row, planes.rowStride))),
      );
      k.loop(0, columns, () => {
        write(...cells);
        for (const cell of cells) k.move(cell, lanes);
      });
    });
  }
}

const NOWHERE = { rows: 0, columns: 0, lanes: 0 };

/** Walks the channels of one place in several planes at once. */
function forChannels(
  k: KernelBuilder,
  sides: readonly { readonly planes: Planes; readonly first: Expr<'ptr'> }[],
  write: (...cells: readonly Variable<'ptr'>[]) => void,
): void {
  const walked = sides.map(({ planes, first }) => ({ planes, cell: k.let(first) }));
  k.loop(0, walked[0]?.planes.channels ?? 0, () => {
    write(...walked.map(({ cell }) => cell));
    for (const { planes, cell } of walked) k.move(cell, planes.channelStride);
  });
}

/** forward(x, y): y = exp(x - greatest) / sum over the channels, in their order. */
export function softmaxForward(
  name: string,
  target: Target,
  input: Planes,
  output: Planes,
): Kernel {
  return defineKernel(name, { x: 'ptr', y: 'ptr' }, (k, args) => {
    const sides = [
      { planes: input, pointer: args.x },
      { planes: output, pointer: args.y },
    ];
    forPlaces(k, target, sides, (x, y) => {
      const from = { planes: input, first: x };
      const to = { planes: output, first: y };
      const greatest = k.let(load('vec', x));
      forChannels(k, [from], (cell) => {
        k.set(greatest, max(k.let(load('vec', cell)), greatest));
      });
      const total = k.let(float('vec', 0));
      forChannels(k, [from, to], (cell, out) => {
        const power = k.let(exp(k, sub(load('vec', cell), greatest)));
        k.set(total, add(total, power));
        k.store(out, 0, power);
      });
      forChannels(k, [to], (out) => {
        k.store(out, 0, div(load('vec', out), total));
      });
    });
  });
}

/** backward(y, dy, dx): dx = y (dy - sum of dy y); dy and dx have no border. */
export function softmaxBackward(name: string, target: Target, output: Planes, dy: Planes): Kernel {
  return defineKernel(name, { y: 'ptr', dy: 'ptr', dx: 'ptr' }, (k, args) => {
    const sides = [
      { planes: output, pointer: args.y },
      { planes: dy, pointer: args.dy },
      { planes: dy, pointer: args.dx },
    ];
    forPlaces(k, target, sides, (y, d, out) => {
      const values = { planes: output, first: y };
      const gradients = { planes: dy, first: d };
      const total = k.let(float('vec', 0));
      forChannels(k, [values, gradients], (value, gradient) => {
        k.set(total, add(total, mul(load('vec', value), load('vec', gradient))));
      });
      forChannels(k, [values, gradients, { planes: dy, first: out }], (value, gradient, to) => {
        k.store(to, 0, mul(load('vec', value), sub(load('vec', gradient), total)));
      });
    });
  });
}
