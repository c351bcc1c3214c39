import type { TrainingSettings } from '../config/types.js';
import { cosPi } from '../cosine.js';

/**
 * The learning rate of one step, counted from 0: a linear warm-up to the peak (Goyal et al. 2017,
 * "Accurate, large minibatch SGD"), at most half of all steps long, then over the remaining steps
 * - constant: the peak;
 * - step: the peak, a tenth of it after half of them and a hundredth after three quarters;
 * - cosine: from the peak to 0 along half a cosine (Loshchilov & Hutter 2017, "SGDR").
 *
 * The same bits on every platform: Math.cos and Math.pow are not, so nothing here uses them.
 */
export function learningRate(
  { schedule, lr, warmup }: Pick<TrainingSettings, 'schedule' | 'lr' | 'warmup'>,
  step: number,
  totalSteps: number,
): number {
  const warmupSteps = Math.min(warmup, Math.floor(totalSteps / 2));
  // In this order: lr * n / n may round to more than the peak.
  if (step < warmupSteps) return lr * ((step + 1) / warmupSteps);
  const progress = Math.min(1, (step - warmupSteps) / (totalSteps - warmupSteps));
  switch (schedule) {
    case 'constant':
      return lr;
    case 'step':
      return progress < 0.5 ? lr : progress < 0.75 ? lr * 0.1 : lr * 0.01;
    case 'cosine':
      return lr * 0.5 * (1 + cosPi(progress));
  }
}
