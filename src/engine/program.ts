import type { Model } from '../model/model.js';
import type { OptimizerName } from '../optim/optimizer.js';
import { defineKernel, type KernelBuilder } from './ir/builder.js';
import { advance } from './ir/expressions.js';
import { type Expr, type Kernel, type Target } from './ir/types.js';
import { addInPlace } from './kernels/elementwise.js';
import { softmaxCrossEntropy } from './kernels/loss.js';
import { optimizerUpdate } from './kernels/optimizer.js';
import { planesOf } from './kernels/planes.js';
import { gatherSamples } from './kernels/samples.js';
import { type Buffer, stageKernels } from './stage-kernels.js';
import { borderOf, stagesOf } from './stages.js';

/**
 * A model compiled for a target: its kernels and how much memory they want. Sizes are in float32
 * values.
 */
export interface Program {
  /** gradients, evaluate, add and update; the last two alone for an approximate engine. */
  readonly kernels: readonly Kernel[];
  /** What one thread works in; must be zero before its first use. */
  readonly workSize: number;
  /** A gradient piece: the weights' gradients, the loss, the correct answers, padding. */
  readonly pieceSize: number;
}

/** Places in a piece behind the gradients. */
export const LOSS = 0;
export const CORRECT = 1;

/** Values are placed at multiples of a cache line, so that threads share none. */
const LINE = 16;

export function pieceSizeOf(parameterCount: number): number {
  return roundUp(parameterCount + 2, LINE);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Arguments of gradients and evaluate; `compile` and `gatherSamples` say what they are. */
const sampleParams = {
  weights: 'ptr',
  images: 'ptr',
  labels: 'ptr',
  table: 'ptr',
  indices: 'ptr',
  count: 'int',
  work: 'ptr',
} as const;
type SampleArguments = {
  readonly [N in keyof typeof sampleParams]: Expr<(typeof sampleParams)[N]>;
};

/**
 * What an approximate engine's gradients are added and applied with, whatever the model's layers:
 * the kernels add and update.
 */
export function compileUpdater(
  parameterCount: number,
  optimizer: OptimizerName,
  target: Target,
): Program {
  const pieceSize = pieceSizeOf(parameterCount);
  const add = addInPlace('add', target, pieceSize);
  const update = optimizerUpdate('update', target, optimizer, parameterCount);
  return { kernels: [add, update], workSize: 0, pieceSize };
}

/**
 * Compiles a model and its optimizer's step into four kernels:
 *
 * - gradients(weights, images, labels, table, indices, count, work, piece): one micro-batch;
 * - evaluate(…, work, out): out[0] = the loss, out[1] = the correct answers, out[2..9] = each
 *   lane's class;
 * - add(left, right): left += right, two pieces;
 * - update(weights, piece, state, hyper, check): the optimizer's step.
 */
export function compile(model: Model, optimizer: OptimizerName, target: Target): Program {
  let workSize = 0;
  const allocate = (size: number): number => {
    const place = workSize;
    workSize += roundUp(size, LINE);
    return place;
  };
  const stages = stagesOf(model);
  const input = planesOf(model.spec.input, target.lanes, borderOf(stages[0]));
  const samples: Buffer = { planes: input, place: allocate(input.size) };
  const targets = allocate(target.lanes);
  const mask = allocate(target.lanes);
  const predictions = allocate(target.lanes);

  let x = samples;
  const compiled = stages.map((stage, index) => {
    const planes = planesOf(stage.output, target.lanes, borderOf(stages[index + 1]));
    const y = { planes, place: allocate(planes.size) };
    const kernels = stageKernels(stage, { target, x, y, allocate });
    x = y;
    return { kernels, gradient: allocate(planesOf(stage.output, target.lanes).size) };
  });
  const logits = x.place;
  const logitsGradient = compiled.at(-1)?.gradient ?? 0;

  const gather = gatherSamples('gather', input);
  const loss = softmaxCrossEntropy('loss', target, model.classes);
  const forward = (
    k: KernelBuilder,
    args: SampleArguments,
    classes: Expr<'ptr'>,
    sums: Expr<'ptr'>,
  ): void => {
    const { weights, images, labels, table, indices, count, work } = args;
    const at = (place: number): Expr<'ptr'> => advance(work, place);
    k.call(gather, images, labels, table, indices, count, at(samples.place), at(targets), at(mask));
    for (const { kernels } of compiled) kernels.forward(k, { at, weights });
    k.call(loss, at(logits), at(targets), at(mask), at(logitsGradient), classes, sums);
  };

  const gradients = defineKernel('gradients', { ...sampleParams, piece: 'ptr' }, (k, args) => {
    const { weights, work, piece } = args;
    const at = (place: number): Expr<'ptr'> => advance(work, place);
    forward(k, args, at(predictions), advance(piece, model.parameterCount));
    compiled.toReversed().forEach(({ kernels, gradient }, index, reversed) => {
      const before = reversed[index + 1];
      kernels.backward(k, {
        at,
        weights,
        piece,
        dy: at(gradient),
        ...(before && { dx: at(before.gradient) }),
      });
    });
  });
  const evaluate = defineKernel('evaluate', { ...sampleParams, out: 'ptr' }, (k, args) => {
    forward(k, args, advance(args.out, 2), args.out);
  });

  const { kernels, pieceSize } = compileUpdater(model.parameterCount, optimizer, target);
  return { kernels: [gradients, evaluate, ...kernels], workSize, pieceSize };
}
