import type { Activation } from '../../model/layers.js';
import { type KernelBuilder, defineKernel } from '../ir/builder.js';
import { add, advance, float, intMul, load, loadSplat, mul } from '../ir/expressions.js';
import {
  type Expr,
  type FloatType,
  type Kernel,
  LANES,
  type Target,
  type Variable,
} from '../ir/types.js';
import { activate } from './math.js';
import { type Planes, origin } from './planes.js';
import {
  addProducts,
  forTiles,
  loadCell,
  range,
  splatCell,
  storeCell,
  tiling,
  zeroCell,
} from './tiles.js';

/**
 * A dense layer y = x w + b; weights are [in][out]. Its inputs are the cells of `input`, in the
 * order of TensorFlow's flatten: [row][column][channel].
 */
export interface DenseLayer {
  readonly input: Planes;
  readonly outputs: number;
}

/** Calls `write` for each row and column; `channels` is the first channel's cell there. */
function forCells(
  k: KernelBuilder,
  input: Planes,
  pointer: Expr<'ptr'>,
  write: (channels: Expr<'ptr'>) => void,
): void {
  const plane = k.let(advance(pointer, origin(input)));
  k.loop(0, input.rows, (row) => {
    const cell = k.let(advance(plane, intMul(row, input.rowStride)));
    k.loop(0, input.columns, () => {
      write(cell);
      k.move(cell, input.lanes);
    });
  });
}

/** forward(x, weights, bias, y): y = activation(x w + b); the bias first, then inputs in order. */
export function denseForward(
  name: string,
  target: Target,
  { input, outputs }: DenseLayer,
  activation?: Activation,
): Kernel {
  const params = { x: 'ptr', weights: 'ptr', bias: 'ptr', y: 'ptr' } as const;
  return defineKernel(name, params, (k, { x, weights, bias, y }) => {
    forTiles(k, tiling(outputs, target.tiles.dense), (first, size) => {
      const w = k.let(advance(weights, first));
      const b = k.let(advance(bias, first));
      const out = k.let(advance(y, intMul(first, target.lanes)));
      const sums = range(size).map((output) => splatCell(k, target, b, output));
      forCells(k, input, x, (channels) => {
        const at = k.let(channels);
        k.loop(0, input.channels, () => {
          addProducts(k, [sums], [loadCell(k, target, at)], w, range(size));
          k.move(at, input.channelStride);
          k.move(w, outputs);
        });
      });
      sums.forEach((sum, output) => {
        const value = sum.map((part) => activate(k, activation, part));
        storeCell(k, target, out, output * target.lanes, value);
      });
    });
  });
}

/** inputGradient(dy, weights, dx): dx = dy w', outputs in order; dx has no border. */
export function denseInputGradient(
  name: string,
  target: Target,
  { outputs }: DenseLayer,
  dx: Planes,
): Kernel {
  const params = { dy: 'ptr', weights: 'ptr', dx: 'ptr' } as const;
  return defineKernel(name, params, (k, args) => {
    const weights = k.let(args.weights);
    forCells(k, dx, args.dx, (channels) => {
      forTiles(k, tiling(dx.channels, target.tiles.denseInput), (first, size) => {
        const d = k.let(args.dy);
        const w = k.let(advance(weights, intMul(first, outputs)));
        const sums = range(size).map(() => zeroCell(k, target));
        const offsets = range(size).map((index) => index * outputs);
        k.loop(0, outputs, () => {
          addProducts(k, [sums], [loadCell(k, target, d)], w, offsets);
          k.move(d, target.lanes);
          k.move(w, 1);
        });
        const out = k.let(advance(channels, intMul(first, dx.channelStride)));
        sums.forEach((sum, index) => {
          storeCell(k, target, out, index * dx.channelStride, sum);
        });
      });
      k.move(weights, dx.channels * outputs);
    });
  });
}

/** transpose(dy, out): [output][lane] becomes [lane][output], for the weight gradient. */
export function transposeLanes(name: string, { lanes }: Target, outputs: number): Kernel {
  return defineKernel(name, { dy: 'ptr', out: 'ptr' }, (k, args) => {
    const d = k.let(args.dy);
    const out = k.let(args.out);
    k.loop(0, outputs, () => {
      for (const lane of range(lanes)) k.store(out, lane * outputs, load('f32', d, lane));
      k.move(d, lanes);
      k.move(out, 1);
    });
  });
}

/**
 * weightGradient(x, dyRows, gradient): gradient[in][out] = sum over lanes in order of x * dy.
 * `dyRows` is [lane][output]: the outputs lie along the vector here, so no lanes are summed.
 */
export function denseWeightGradient(
  name: string,
  target: Target,
  { input, outputs }: DenseLayer,
): Kernel {
  const vectors = Math.floor(outputs / target.width);
  const params = { x: 'ptr', dyRows: 'ptr', gradient: 'ptr' } as const;
  return defineKernel(name, params, (k, { x, dyRows, gradient }) => {
    const columns = (
      type: FloatType,
      first: Expr<'int'> | number,
      offsets: readonly number[],
    ): void => {
      const rows = k.let(advance(dyRows, first));
      const out = k.let(advance(gradient, first));
      const inputTile = Math.max(1, Math.floor(target.tiles.denseWeights.sums / offsets.length));
      forCells(k, input, x, (channels) => {
        forTiles(k, tiling(input.channels, inputTile), (channel, size) => {
          const at = k.let(advance(channels, intMul(channel, input.channelStride)));
          outerProducts(
            k,
            type,
            { rows, out, at, outputs, offsets, lanes: input.lanes },
            size,
            input.channelStride,
          );
          k.move(out, size * outputs);
        });
      });
    };
    if (vectors > 0) {
      const tiles = tiling(vectors, target.tiles.denseWeights.vectors);
      forTiles(k, tiles, (first, size) => {
        columns(
          'vec',
          intMul(first, target.width),
          range(size).map((index) => index * target.width),
        );
      });
    }
    const rest = outputs % target.width;
    if (rest === 0) return;
    // The last outputs once more as a vector that overlaps the one before: the same values again.
    if (vectors > 0) columns('vec', outputs - target.width, [0]);
    else columns('f32', 0, range(rest));
  });
}

interface OuterProduct {
  readonly rows: Expr<'ptr'>;
  readonly out: Variable<'ptr'>;
  readonly at: Expr<'ptr'>;
  readonly outputs: number;
  readonly offsets: readonly number[];
  readonly lanes: number;
}

function outerProducts(
  k: KernelBuilder,
  type: FloatType,
  { rows, out, at, outputs, offsets, lanes }: OuterProduct,
  inputs: number,
  inputStride: number,
): void {
  const groups = range(lanes / LANES).map((group) => {
    const sums = range(inputs).map(() => offsets.map(() => k.let<FloatType>(float(type, 0))));
    const x = k.let(advance(at, group * LANES));
    const dy = k.let(advance(rows, group * LANES * outputs));
    k.loop(0, LANES, () => {
      const gradients = offsets.map((offset) => k.let<FloatType>(load(type, dy, offset)));
      sums.forEach((row, index) => {
        const place = index * inputStride;
        const value = k.let<FloatType>(
          type === 'vec' ? loadSplat(x, place) : load('f32', x, place),
        );
        row.forEach((sum, column) => {
          const gradient = gradients[column];
          if (gradient) k.set(sum, add(sum, mul(value, gradient)));
        });
      });
      k.move(x, 1);
      k.move(dy, outputs);
    });
    return sums;
  });
  range(inputs).forEach((index) => {
    offsets.forEach((offset, column) => {
      const [first, second] = groups.flatMap((sums) => sums[index]?.[column] ?? []);
      if (!first) return;
      const sum = second ? add<FloatType>(first, second) : first;
      k.store(out, index * outputs + offset, sum);
    });
  });
}
