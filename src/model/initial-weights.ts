import { randomWords } from '../random/philox.js';
import { type Model, sizeOf } from './model.js';

/**
 * A run's first weights. Kernels are uniform in [-l, l], l = sqrt(3 / n) where a unit reads n
 * values, so that a value's variance is kept from layer to layer (LeCun, Bottou, Orr, Müller 1998,
 * "Efficient BackProp"). Biases are 0.
 */
export function initialWeights(model: Model, seed: number): Float32Array {
  const weights = new Float32Array(model.parameterCount);
  model.layers.forEach(({ kernel }, layer) => {
    if (!kernel) return;
    const limit = Math.sqrt(3 / sizeOf(kernel.shape.slice(0, -1)));
    for (let place = 0; place < kernel.size; place++) {
      const word = randomWords(seed, 'initialWeights', layer, place >>> 2)[place & 3] ?? 0;
      // 24 bits are what a float32 holds: uniform in [0, 1).
      const uniform = (word >>> 8) / 2 ** 24;
      weights[kernel.offset + place] = (2 * uniform - 1) * limit;
    }
  });
  return weights;
}
