import type { TrainingSettings } from '../config/types.js';

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

/** cos(pi x) for x from 0 to 1, within 4e-16. The reductions (1 - x and 0.5 - x) are exact. */
export function cosPi(x: number): number {
  if (x > 0.5) return -cosPi(1 - x);
  if (x <= 0.25) return taylor(Math.PI * x, 16);
  const y = Math.PI * (0.5 - x);
  return y * taylor(y, 17);
}

/**
 * 1 - y²/(n-1)n (1 - y²/(n-3)(n-2) (…)), innermost term first: the Taylor series of cos y for an
 * even degree, and of (sin y) / y for an odd one. For |y| <= pi/4 what is left out of the degrees
 * used above is below 3e-18.
 */
function taylor(y: number, degree: number): number {
  let sum = 1;
  for (let n = degree; n > 1; n -= 2) sum = 1 - ((y * y) / ((n - 1) * n)) * sum;
  return sum;
}
