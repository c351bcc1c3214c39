import { type Model, sizeOf } from '../dist/src/model/model.js';

/**
 * Floating-point operations to train a model on one sample: a multiplication and an addition for
 * each weight at each place, once forward, once for the weights' gradients and, but for the first
 * layer, once for the inputs' gradients.
 */
export function trainingFlops(model: Model): number {
  const weighted = model.layers.filter(({ kernel }) => kernel !== undefined);
  return weighted.reduce((sum, { kernel, output }, index) => {
    const places = output.length === 3 ? output[0] * output[1] : 1;
    return sum + 2 * sizeOf(kernel?.shape ?? []) * places * (index === 0 ? 2 : 3);
  }, 0);
}
