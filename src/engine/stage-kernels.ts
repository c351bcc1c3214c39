import { windowAxis } from '../model/shapes.js';
import { VALUES_OF_DRAW } from './dropout-factors.js';
import { dropoutMask } from './kernels/dropout.js';
import { activationBackward, activationForward, combinePlanes } from './kernels/elementwise.js';
import { flattenBackward, flattenForward } from './kernels/flatten.js';
import { globalPoolBackward, globalPoolForward } from './kernels/global-pool.js';
import { NO_BORDER, type Planes, planesOf } from './kernels/planes.js';
import {
  averagePoolForward,
  maxPoolForward,
  poolBackward,
  type Pooling,
} from './kernels/pooling.js';
import { softmaxBackward, softmaxForward } from './kernels/softmax.js';
import { type StageKernels, type StageSetting, within } from './stage-setting.js';
import type { Stage } from './stages.js';
import { convolutionStage, denseStage } from './weighted-stages.js';

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
    case 'softmax':
      return softmaxStage(stage, setting);
    case 'dropout':
      return dropoutStage(stage, setting);
    case 'zeroPadding':
      return zeroPaddingStage(stage, setting);
    case 'globalPool':
    case 'flatten':
      return reshapingStage(stage, setting);
    case 'add':
      return addStage(stage, setting);
  }
}

function poolStage(
  stage: Stage & { kind: 'pool' },
  { target, x: input, y, allocate }: StageSetting,
): StageKernels {
  const { name, layer } = stage;
  const x = within(input, NO_BORDER);
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

function softmaxStage(
  { name, output }: Stage & { kind: 'softmax' },
  { target, x, y }: StageSetting,
): StageKernels {
  const dyPlanes = planesOf(output, target.lanes);
  const forward = softmaxForward(name, target, x.planes, y.planes);
  const backward = softmaxBackward(`${name}_dx`, target, y.planes, dyPlanes);
  return {
    forward: (k, { at }) => {
      k.call(forward, at(x.place), at(y.place));
    },
    backward: (k, { at, dy, dx }) => {
      if (dx) k.call(backward, at(y.place), dy, dx);
    },
  };
}

function dropoutStage(
  { name, layer, draw, output }: Stage & { kind: 'dropout' },
  { target, x, y, allocate }: StageSetting,
): StageKernels {
  const planes = planesOf(output, target.lanes);
  const room = VALUES_OF_DRAW * target.lanes;
  const factors = allocate(Math.ceil(planes.size / room) * room);
  const mask = dropoutMask(`${name}_mask`, planes, { rate: layer.rate, draw });
  const forward = combinePlanes(name, target, 'mul', [x.planes, planes, y.planes]);
  const backward = combinePlanes(`${name}_dx`, target, 'mul', [planes, planes, planes]);
  const pass = activationForward(`${name}_off`, target, x.planes, y.planes);
  return {
    forward: (k, { at, draws }) => {
      if (!draws) {
        k.call(pass, at(x.place), at(y.place));
        return;
      }
      k.call(mask, draws, at(factors));
      k.call(forward, at(x.place), at(factors), at(y.place));
    },
    backward: (k, { at, dy, dx }) => {
      if (dx) k.call(backward, dy, at(factors), dx);
    },
  };
}

/** The cells of `planes` where the values lie that zeros were put around. */
function inside(planes: Planes, { input, zeros }: Stage & { kind: 'zeroPadding' }): Planes {
  const { rows, columns } = planesOf(input, planes.lanes);
  const [[top], [left]] = zeros;
  return { ...planes, rows, columns, top: planes.top + top, left: planes.left + left };
}

/** The zeros are there before the memory's first use, and nothing is ever written to them. */
function zeroPaddingStage(
  stage: Stage & { kind: 'zeroPadding' },
  { target, x, y }: StageSetting,
): StageKernels {
  const { name, input, output } = stage;
  const forward = activationForward(name, target, x.planes, inside(y.planes, stage));
  const dy = inside(planesOf(output, target.lanes), stage);
  const backward = activationForward(`${name}_dx`, target, dy, planesOf(input, target.lanes));
  return {
    forward: (k, { at }) => {
      k.call(forward, at(x.place), at(y.place));
    },
    backward: (k, pointers) => {
      if (pointers.dx) k.call(backward, pointers.dy, pointers.dx);
    },
  };
}

function reshapingStage(
  { kind, name, input }: Stage & { kind: 'globalPool' | 'flatten' },
  { target, x, y }: StageSetting,
): StageKernels {
  const dxPlanes = planesOf(input, target.lanes);
  const forwardOf = { globalPool: globalPoolForward, flatten: flattenForward }[kind];
  const backwardOf = { globalPool: globalPoolBackward, flatten: flattenBackward }[kind];
  const forward = forwardOf(name, target, x.planes);
  const backward = backwardOf(`${name}_dx`, target, dxPlanes);
  return {
    forward: (k, { at }) => {
      k.call(forward, at(x.place), at(y.place));
    },
    backward: (k, { dy, dx }) => {
      if (dx) k.call(backward, dy, dx);
    },
  };
}

/** Inputs are added in their order; the gradient of each is the sum's. */
function addStage(
  { name, output }: Stage & { kind: 'add' },
  { target, x, others, y }: StageSetting,
): StageKernels {
  const dyPlanes = planesOf(output, target.lanes);
  const sums = others.map((other, index) => {
    const left = index === 0 ? x : y;
    const kernel = combinePlanes(name, target, 'add', [left.planes, other.planes, y.planes]);
    return { left, other, kernel };
  });
  const copy = activationForward(`${name}_dx`, target, dyPlanes, dyPlanes);
  return {
    forward: (k, { at }) => {
      for (const { left, other, kernel } of sums) {
        k.call(kernel, at(left.place), at(other.place), at(y.place));
      }
    },
    backward: (k, { dy, dx }) => {
      if (dx) k.call(copy, dy, dx);
    },
  };
}
