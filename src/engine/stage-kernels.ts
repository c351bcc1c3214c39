import type { KernelBuilder } from './ir/builder.js';
import { advance } from './ir/expressions.js';
import type { Expr, Target } from './ir/types.js';
import { windowAxis } from '../model/model.js';
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
import { activationBackward, activationForward } from './kernels/elementwise.js';
import { type Planes, planesOf } from './kernels/planes.js';
import {
  averagePoolForward,
  maxPoolForward,
  poolBackward,
  type Pooling,
} from './kernels/pooling.js';
import { pooledConvolutionForward, spreadPooledGradient } from './kernels/pooled-convolution.js';
import type { Stage } from './stages.js';

/** A stage's values in the work memory. */
export interface Buffer {
  readonly planes: Planes;
  readonly place: number;
}

interface ForwardPointers {
  /** The work memory at a place. */
  readonly at: (place: number) => Expr<'ptr'>;
  readonly weights: Expr<'ptr'>;
}

interface BackwardPointers extends ForwardPointers {
  readonly piece: Expr<'ptr'>;
  /** The gradient of the stage's output, which may be overwritten. */
  readonly dy: Expr<'ptr'>;
  /** Where the gradient of its input goes; the first stage has none. */
  readonly dx?: Expr<'ptr'>;
}

/** Writes the calls of a stage's kernels, forward and backward. */
export interface StageKernels {
  forward(k: KernelBuilder, pointers: ForwardPointers): void;
  backward(k: KernelBuilder, pointers: BackwardPointers): void;
}

/** What a stage's kernels are made from. */
interface StageSetting {
  readonly target: Target;
  readonly x: Buffer;
  readonly y: Buffer;
  /** Places of further work memory. */
  readonly allocate: (size: number) => number;
}

export function stageKernels(stage: Stage, setting: StageSetting): StageKernels {
  switch (stage.kind) {
    case 'convolution':
      return convolutionStage(stage, setting);
    case 'dense':
      return denseStage(stage, setting);
    case 'pool':
      return poolStage(stage, setting);
    case 'activation':
      return activationStage(stage, setting);
  }
}

function convolutionStage(
  stage: Stage & { kind: 'convolution' },
  { target, x, y, allocate }: StageSetting,
): StageKernels {
  const { name, activation, layer, kernel, bias } = stage;
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

function denseStage(
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

function poolStage(
  stage: Stage & { kind: 'pool' },
  { target, x, y, allocate }: StageSetting,
): StageKernels {
  const { name, layer } = stage;
  const before = (axis: 0 | 1): number =>
    windowAxis(stage.input[axis] ?? 1, layer.size[axis], layer.strides[axis], layer.padding).before;
  const pooling: Pooling = {
    input: x.planes,
    output: y.planes,
    size: layer.size,
    strides: layer.strides,
    before: [before(0), before(1)],
  };
  const dyPlanes = planesOf(stage.output, target.lanes);
  const backward = poolBackward(`${name}_dx`, target, layer.type, pooling, dyPlanes);
  if (layer.type === 'averagePool2d') {
    const forward = averagePoolForward(name, target, pooling);
    return {
      forward: (k, { at }) => {
        k.call(forward, at(x.place), at(y.place));
      },
      backward: (k, { dy, dx }) => {
        if (dx) k.call(backward, dy, dy, dx);
      },
    };
  }
  const winners = allocate(dyPlanes.size);
  const forward = maxPoolForward(name, target, pooling);
  return {
    forward: (k, { at }) => {
      k.call(forward, at(x.place), at(y.place), at(winners));
    },
    backward: (k, { at, dy, dx }) => {
      if (dx) k.call(backward, dy, at(winners), dx);
    },
  };
}

function activationStage(
  { name, activation, output }: Stage & { kind: 'activation' },
  { target, x, y }: StageSetting,
): StageKernels {
  const dyPlanes = planesOf(output, target.lanes);
  const forward = activationForward(name, target, x.planes, y.planes, activation);
  const backward = activationBackward(`${name}_da`, target, y.planes, dyPlanes, activation);
  const copy = activationForward(`${name}_dx`, target, dyPlanes, dyPlanes);
  return {
    forward: (k, { at }) => {
      k.call(forward, at(x.place), at(y.place));
    },
    backward: (k, { at, dy, dx }) => {
      k.call(backward, at(y.place), dy);
      if (dx) k.call(copy, dy, dx);
    },
  };
}
