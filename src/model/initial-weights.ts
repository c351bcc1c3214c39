import { randomWords } from '../random/philox.js';
import type { Model, PlacedLayer } from './model.js';

/**
 * A run's first weights. Kernels are uniform in [-l, l]: l = sqrt(6 / in) where a ReLU follows (He
 * et al. 2015), else sqrt(6 / (in + out)) (Glorot, Bengio 2010); `in` and `out` count the values
 * that a unit reads and the units that read a value. Biases are 0.
 */
export function initialWeights(model: Model, seed: number): Float32Array {
  const weights = new Float32Array(model.parameterCount);
  model.layers.forEach((placed, index) => {
    const { kernel } = placed;
    if (!kernel) return;
    const limit = limitOf(placed, model.layers[index + 1]);
    for (let place = 0; place < kernel.size; place++) {
      const word = randomWords(seed, 'initialWeights', index, place >>> 2)[place & 3] ?? 0;
      // 24 bits are what a float32 holds: uniform in [0, 1).
      const uniform = (word >>> 8) / 2 ** 24;
      weights[kernel.offset + place] = (2 * uniform - 1) * limit;
    }
  });
  return weights;
}

function limitOf({ kernel }: PlacedLayer, next: PlacedLayer | undefined): number {
  const extents = kernel?.shape ?? [];
  const [inputs = 1, outputs = 1] = extents.slice(-2);
  const taps = extents.slice(0, -2).reduce((product, extent) => product * extent, 1);
  const fan = next?.layer.type === 'relu' ? taps * inputs : taps * (inputs + outputs);
  return Math.sqrt(6 / fan);
}
