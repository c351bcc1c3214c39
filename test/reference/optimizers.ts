import { addAt, at } from './arrays.js';

/** The optimizers there are references for. */
export type OptimizerKind = 'sgd' | 'momentum' | 'adam' | 'adamw';

/** What an optimizer remembers between steps, one value for each weight. */
export interface OptimizerState {
  readonly velocity: Float64Array;
  readonly mean: Float64Array;
  readonly meanSquare: Float64Array;
}

/** What a step depends on besides the gradient. */
export interface Hyper {
  readonly lr: number;
  /** Used by momentum alone. */
  readonly momentum: number;
  readonly weightDecay: number;
  /** Counted from 1. */
  readonly step: number;
}

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** What an optimizer knows before its first step: nothing. */
export function newState(size: number): OptimizerState {
  return {
    velocity: new Float64Array(size),
    mean: new Float64Array(size),
    meanSquare: new Float64Array(size),
  };
}

/**
 * One step of an optimizer, in place, as PyTorch defines it.
 *
 * Weight decay adds `weightDecay * w` to the gradient, except for AdamW, where the weights shrink
 * by the factor `1 - lr * weightDecay` apart from the gradient.
 */
export function step(
  kind: OptimizerKind,
  state: OptimizerState,
  weights: Float64Array,
  gradient: Float64Array,
  hyper: Hyper,
): void {
  for (let index = 0; index < weights.length; index++) {
    const weight = at(weights, index);
    const decay = hyper.weightDecay * weight;
    const slope = at(gradient, index);
    switch (kind) {
      case 'sgd':
        addAt(weights, index, -hyper.lr * (slope + decay));
        break;
      case 'momentum': {
        const velocity = hyper.momentum * at(state.velocity, index) + slope + decay;
        state.velocity[index] = velocity;
        addAt(weights, index, -hyper.lr * velocity);
        break;
      }
      case 'adam':
        addAt(weights, index, -hyper.lr * adamDirection(state, index, slope + decay, hyper.step));
        break;
      case 'adamw':
        addAt(weights, index, -hyper.lr * decay);
        addAt(weights, index, -hyper.lr * adamDirection(state, index, slope, hyper.step));
        break;
    }
  }
}

/** Updates one weight's moments; returns where Adam goes (Kingma & Ba 2015, algorithm 1). */
function adamDirection(
  state: OptimizerState,
  index: number,
  slope: number,
  stepNumber: number,
): number {
  const mean = BETA1 * at(state.mean, index) + (1 - BETA1) * slope;
  const meanSquare = BETA2 * at(state.meanSquare, index) + (1 - BETA2) * slope ** 2;
  state.mean[index] = mean;
  state.meanSquare[index] = meanSquare;
  const unbiasedMean = mean / (1 - BETA1 ** stepNumber);
  const unbiasedMeanSquare = meanSquare / (1 - BETA2 ** stepNumber);
  return unbiasedMean / (Math.sqrt(unbiasedMeanSquare) + EPSILON);
}
