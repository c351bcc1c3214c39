import type { Model } from '../model/model.js';
import type { OptimizerName } from '../optim/optimizer.js';
import { defineKernel, type KernelBuilder } from './ir/builder.js';
import { advance } from './ir/expressions.js';
import { type Expr, type Kernel, type Target } from './ir/types.js';
import { addInPlace } from './kernels/elementwise.js';
import { lossKernel } from './kernels/loss.js';
import { optimizerUpdate } from './kernels/optimizer.js';
import { gatherSamples } from './kernels/samples.js';
import { backward, compileStages } from './graph.js';

/**
 * A model compiled for a target: its kernels and how much memory they want. Sizes are in float32
 * values.
 */
export interface Program {
  /** gradients, evaluate, add and update; the last two alone for an approximate engine. */
  readonly kernels: readonly Kernel[];
  /** What one thread works in; must be zero before its first use. */
  readonly workSize: number;
  /** Where the outputs are after `evaluate`, in what it works in: [output][lane]; and how many. */
  readonly outputs: number;
  readonly outputCount: number;
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
 * @param trainableCount how many of the weights the optimizer moves, the first ones; of the others
 * the mean of their gradients is taken off
 */
export function compileUpdater(
  parameterCount: number,
  optimizer: OptimizerName,
  target: Target,
  trainableCount = parameterCount,
): Program {
  const pieceSize = pieceSizeOf(parameterCount);
  const add = addInPlace('add', target, pieceSize);
  const others = parameterCount - trainableCount;
  const update = optimizerUpdate('update', target, optimizer, trainableCount, others);
  return { kernels: [add, update], workSize: 0, outputs: 0, outputCount: 0, pieceSize };
}

/**
 * Compiles a model and its optimizer's step into four kernels:
 *
 * - gradients(weights, images, labels, table, indices, count, work, piece, draws): one micro-batch;
 *   `draws` are the words of DRAW_WORDS;
 * - evaluate(…, work, out): out[0] = the loss, out[1] = the correct answers, out[2..9] = each
 *   lane's class;
 * - add(left, right): left += right, two pieces;
 * - update(weights, piece, state, hyper, check, slice): a slice of the optimizer's step.
 */
export function compile(model: Model, optimizer: OptimizerName, target: Target): Program {
  let workSize = 0;
  const allocate = (size: number): number => {
    const place = workSize;
    workSize += roundUp(size, LINE);
    return place;
  };
  const { samples, stages } = compileStages(model, target, allocate);
  const targets = allocate(target.lanes);
  const mask = allocate(target.lanes);
  const predictions = allocate(target.lanes);
  const last = stages.at(-1);
  if (!last) throw new Error('The model has no stage.');

  const gather = gatherSamples('gather', samples.planes, model.spec.inputType ?? 'uint8');
  const loss = lossKernel('loss', target, model);
  const forward = (
    k: KernelBuilder,
    args: SampleArguments,
    classes: Expr<'ptr'>,
    sums: Expr<'ptr'>,
    draws?: Expr<'ptr'>,
  ): void => {
    const { weights, images, labels, table, indices, count, work } = args;
    const at = (place: number): Expr<'ptr'> => advance(work, place);
    k.call(gather, images, labels, table, indices, count, at(samples.place), at(targets), at(mask));
    for (const { kernels } of stages) {
      kernels.forward(k, { at, weights, ...(draws && { draws }) });
    }
    k.call(loss, at(last.y.place), at(targets), at(mask), at(last.gradient), classes, sums);
  };

  const params = { ...sampleParams, piece: 'ptr', draws: 'ptr' } as const;
  const gradients = defineKernel('gradients', params, (k, args) => {
    const { weights, work, piece, draws } = args;
    forward(k, args, advance(work, predictions), advance(piece, model.parameterCount), draws);
    backward(k, stages, { at: (place) => advance(work, place), weights, piece });
  });
  const evaluate = defineKernel('evaluate', { ...sampleParams, out: 'ptr' }, (k, args) => {
    forward(k, args, advance(args.out, 2), args.out);
  });

  const { kernels, pieceSize } = compileUpdater(model.parameterCount, optimizer, target);
  return {
    kernels: [gradients, evaluate, ...kernels],
    workSize,
    outputs: last.y.place,
    outputCount: last.y.planes.channels,
    pieceSize,
  };
}
