import type { Pair } from '../../model/layers.js';
import { defineKernel, type KernelBuilder } from '../ir/builder.js';
import { advance, intMul } from '../ir/expressions.js';
import { type Expr, type Kernel, LANES } from '../ir/types.js';
import {
  convolutionInputGradient,
  convolutionWeightGradient,
} from '../kernels/convolution-gradients.js';
import { addInPlace } from '../kernels/elementwise.js';
import { type Border, type Planes, planesOf } from '../kernels/planes.js';
import { maxPoolForward, poolBackward } from '../kernels/pooling.js';
import { wasmTarget } from '../targets.js';
import { gatherLanes, scatterLanes } from './lanes.js';

/**
 * Gradients as TensorFlow.js wants them, of up to LANES samples at a time, by the kernels of the
 * built-in engine.
 */
export interface GradientKernel {
  /** run(first, second, count, work, out); what the pointers are, each function says. */
  readonly kernel: Kernel;
  /** Float32 values to work in, zero before the first use. */
  readonly workSize: number;
}

/** A window that goes over an image. */
export interface Window {
  /** [rows, columns, channels] of one sample. */
  readonly input: readonly [number, number, number];
  readonly output: readonly [number, number, number];
  readonly size: Pair;
  readonly strides: Pair;
  /** Cells of padding around the input. */
  readonly padding: Border;
}

const target = wasmTarget;
const params = { first: 'ptr', second: 'ptr', count: 'int', work: 'ptr', out: 'ptr' } as const;
type Arguments = { readonly [N in keyof typeof params]: Expr<(typeof params)[N]> };

/** Places in the work memory. */
class Work {
  size = 0;

  take(values: number): number {
    const place = this.size;
    this.size += Math.ceil(values / 16) * 16;
    return place;
  }
}

function define(
  work: Work,
  write: (k: KernelBuilder, args: Arguments, at: (place: number) => Expr<'ptr'>) => void,
): GradientKernel {
  const kernel = defineKernel('run', params, (k, args) => {
    write(k, args, (place) => advance(args.work, place));
  });
  return { kernel, workSize: work.size };
}

/**
 * run(x, dy, …, out): out += the gradient of the filter, [row][column][in][out]; of a depthwise
 * convolution [row][column][channel][multiplier].
 */
export function filterGradient(window: Window, depthwise: boolean): GradientKernel {
  const { input, size } = window;
  const work = new Work();
  const [x, dy] = [planesOf(input, LANES, window.padding), planesOf(window.output, LANES)];
  const [xPlace, dyPlace] = [work.take(x.size), work.take(dy.size)];
  const groups = depthwise ? input[2] : 1;
  const [xGroup, dyGroup] = [part(x, groups), part(dy, groups)];
  const values = size[0] * size[1] * xGroup.channels * dy.channels;
  const sums = work.take(values);
  const gradient = convolutionWeightGradient(
    'filter_gradient',
    target,
    { input: xGroup, output: dy, kernel: size, strides: window.strides },
    dyGroup,
  );
  const gatherInput = gatherLanes('gather_x', x);
  const gatherGradient = gatherLanes('gather_dy', dy);
  const add = addInPlace('add', target, values);
  return define(work, (k, args, at) => {
    k.call(gatherInput, args.first, args.count, at(xPlace));
    k.call(gatherGradient, args.second, args.count, at(dyPlace));
    k.loop(0, groups, (group) => {
      k.call(
        gradient,
        advance(at(xPlace), intMul(group, groupStride(xGroup))),
        advance(at(dyPlace), intMul(group, groupStride(dyGroup))),
        advance(at(sums), intMul(group, dyGroup.channels)),
      );
    });
    k.call(add, args.out, at(sums));
  });
}

/** run(dy, filter, …, dx); the filter's layout is that of `filterGradient`. */
export function inputGradient(window: Window, depthwise: boolean): GradientKernel {
  const { input, size } = window;
  const work = new Work();
  const [dx, dy] = [planesOf(input, LANES), planesOf(window.output, LANES)];
  const [dxPlace, dyPlace] = [work.take(dx.size), work.take(dy.size)];
  const groups = depthwise ? input[2] : 1;
  const [dxGroup, dyGroup] = [part(dx, groups), part(dy, groups)];
  const padded = part(planesOf(input, LANES, window.padding), groups);
  const gradient = convolutionInputGradient(
    'input_gradient',
    target,
    { input: padded, output: dy, kernel: size, strides: window.strides },
    dyGroup,
    dxGroup,
  );
  const gather = gatherLanes('gather_dy', dy);
  const scatter = scatterLanes('scatter_dx', dx);
  return define(work, (k, args, at) => {
    k.call(gather, args.first, args.count, at(dyPlace));
    k.loop(0, groups, (group) => {
      k.call(
        gradient,
        advance(at(dyPlace), intMul(group, groupStride(dyGroup))),
        advance(args.second, intMul(group, dyGroup.channels)),
        advance(at(dxPlace), intMul(group, groupStride(dxGroup))),
      );
    });
    k.call(scatter, at(dxPlace), args.count, args.out);
  });
}

/** run(dy, x, …, dx): the gradient goes to the first of the greatest cells of a window. */
export function maxPoolGradient(window: Window): GradientKernel {
  const work = new Work();
  const [x, y] = [planesOf(window.input, LANES), planesOf(window.output, LANES)];
  const [xPlace, yPlace, dyPlace] = [work.take(x.size), work.take(y.size), work.take(y.size)];
  const winners = work.take(y.size);
  const dxPlace = work.take(x.size);
  const pooling = poolingOf(window, x, y);
  const gatherInput = gatherLanes('gather_x', x);
  const gatherGradient = gatherLanes('gather_dy', y);
  const forward = maxPoolForward('forward', target, pooling);
  const backward = poolBackward('backward', target, 'maxPool2d', pooling, y);
  const scatter = scatterLanes('scatter_dx', x);
  return define(work, (k, args, at) => {
    k.call(gatherGradient, args.first, args.count, at(dyPlace));
    k.call(gatherInput, args.second, args.count, at(xPlace));
    k.call(forward, at(xPlace), at(yPlace), at(winners));
    k.call(backward, at(dyPlace), at(winners), at(dxPlace));
    k.call(scatter, at(dxPlace), args.count, args.out);
  });
}

/** run(dy, nothing, …, dx): the gradient is shared by the cells that a window has, without padding. */
export function averagePoolGradient(window: Window): GradientKernel {
  const work = new Work();
  const [x, y] = [planesOf(window.input, LANES), planesOf(window.output, LANES)];
  const [dyPlace, dxPlace] = [work.take(y.size), work.take(x.size)];
  const pooling = poolingOf(window, x, y);
  const gather = gatherLanes('gather_dy', y);
  const backward = poolBackward('backward', target, 'averagePool2d', pooling, y);
  const scatter = scatterLanes('scatter_dx', x);
  return define(work, (k, args, at) => {
    k.call(gather, args.first, args.count, at(dyPlace));
    k.call(backward, at(dyPlace), at(dyPlace), at(dxPlace));
    k.call(scatter, at(dxPlace), args.count, args.out);
  });
}

/**
 * The planes of one of so many groups of channels. A depthwise convolution is one of a single
 * channel for each group, whose weights lie as far apart as all channels' do.
 */
function part(planes: Planes, groups: number): Planes {
  return { ...planes, channels: planes.channels / groups };
}

function groupStride({ channels, channelStride }: Planes): number {
  return channels * channelStride;
}

function poolingOf({ size, strides, padding }: Window, input: Planes, output: Planes) {
  return { input, output, size, strides, before: [padding.top, padding.left] as const };
}
