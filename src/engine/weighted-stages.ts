import type { KernelBuilder } from './ir/builder.js';
import { advance } from './ir/expressions.js';
import type { Expr } from './ir/types.js';
import { type Convolution, convolutionForward } from './kernels/convolution.js';
import {
  biasGradient,
  convolutionInputGradient,
  convolutionWeightGradient,
} from './kernels/convolution-gradients.js';
import {
  denseForward,
  denseInputGradient,
  denseWeightGradient,
  transposeLanes,
} from './kernels/dense.js';
import { activationBackward } from './kernels/elementwise.js';
import { planesOf } from './kernels/planes.js';
import { pooledConvolutionForward, spreadPooledGradient } from './kernels/pooled-convolution.js';
import {
  type BackwardPointers,
  type ForwardPointers,
  type StageKernels,
  type StageSetting,
  within,
} from './stage-setting.js';
import { borderOf, type Stage } from './stages.js';

export function convolutionStage(
  stage: Stage & { kind: 'convolution' },
  { target, x: input, y, allocate }: StageSetting,
): StageKernels {
  const { name, activation, layer, kernel, bias } = stage;
  const x = within(input, borderOf(stage));
  const shape: Convolution = {
    input: x.planes,
    output: y.planes,
    kernel: layer.kernel,
    strides: layer.strides,
  };
  const dyPlanes = planesOf(stage.pool?.unpooled ?? stage.output, target.lanes);
  const weightGradient = convolutionWeightGradient(`${name}_dw`, target, shape, dyPlanes);
  const sumBias = biasGradient(`${name}_db`, target, dyPlanes);
  const inputGradient = convolutionInputGradient(
    `${name}_dx`,
    target,
    shape,
    dyPlanes,
    planesOf(stage.input, target.lanes),
  );
  const finish = (k: KernelBuilder, p: BackwardPointers, dy: Expr<'ptr'>): void => {
    k.call(weightGradient, p.at(x.place), dy, advance(p.piece, kernel.offset));
    k.call(sumBias, dy, advance(p.piece, bias.offset));
    if (p.dx) k.call(inputGradient, dy, advance(p.weights, kernel.offset), p.dx);
  };
  const inputs = ({ at, weights }: ForwardPointers): Expr<'ptr'>[] => [
    at(x.place),
    advance(weights, kernel.offset),
    advance(weights, bias.offset),
    at(y.place),
  ];

  if (stage.pool) {
    const pooled = { ...shape, unpooled: dyPlanes, pool: stage.pool.layer.size };
    const winners = allocate(planesOf(stage.output, target.lanes).size);
    const unpooled = allocate(dyPlanes.size);
    const forward = pooledConvolutionForward(name, target, pooled, activation);
    const spread = spreadPooledGradient(`${name}_spread`, target, pooled, activation);
    return {
      forward: (k, p) => {
        k.call(forward, ...inputs(p), p.at(winners));
      },
      backward: (k, p) => {
        k.call(spread, p.at(y.place), p.at(winners), p.dy, p.at(unpooled));
        finish(k, p, p.at(unpooled));
      },
    };
  }
  const forward = convolutionForward(name, target, shape, activation);
  const before =
    activation && activationBackward(`${name}_da`, target, y.planes, dyPlanes, activation);
  return {
    forward: (k, p) => {
      k.call(forward, ...inputs(p));
    },
    backward: (k, p) => {
      if (before) k.call(before, p.at(y.place), p.dy);
      finish(k, p, p.dy);
    },
  };
}

export function denseStage(
  stage: Stage & { kind: 'dense' },
  { target, x, y, allocate }: StageSetting,
): StageKernels {
  const { name, activation, kernel, bias } = stage;
  const shape = { input: x.planes, outputs: stage.layer.units };
  const dyPlanes = planesOf(stage.output, target.lanes);
  const rows = allocate(stage.layer.units * target.lanes);
  const forward = denseForward(name, target, shape, activation);
  const before =
    activation && activationBackward(`${name}_da`, target, y.planes, dyPlanes, activation);
  const transpose = transposeLanes(`${name}_rows`, target, stage.layer.units);
  const weightGradient = denseWeightGradient(`${name}_dw`, target, shape);
  const sumBias = biasGradient(`${name}_db`, target, dyPlanes);
  const inputGradient = denseInputGradient(
    `${name}_dx`,
    target,
    shape,
    planesOf(stage.input, target.lanes),
  );
  return {
    forward: (k, { at, weights }) => {
      const w = advance(weights, kernel.offset);
      k.call(forward, at(x.place), w, advance(weights, bias.offset), at(y.place));
    },
    backward: (k, p) => {
      if (before) k.call(before, p.at(y.place), p.dy);
      k.call(transpose, p.dy, p.at(rows));
      k.call(weightGradient, p.at(x.place), p.at(rows), advance(p.piece, kernel.offset));
      k.call(sumBias, p.dy, advance(p.piece, bias.offset));
      if (p.dx) k.call(inputGradient, p.dy, advance(p.weights, kernel.offset), p.dx);
    },
  };
}
