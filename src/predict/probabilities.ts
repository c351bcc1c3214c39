import type { LossName } from '../model/layers.js';

/**
 * What a model's outputs say of each class, from 0 to 1: softmax or sigmoid where the model's loss
 * contains it, else the outputs as they are.
 */
export function probabilitiesOf(outputs: readonly number[], loss: LossName): number[] {
  switch (loss) {
    case 'softmaxCrossEntropy': {
      const largest = outputs.reduce((most, value) => Math.max(most, value), -Infinity);
      const powers = outputs.map((value) => Math.exp(value - largest));
      const sum = powers.reduce((total, power) => total + power, 0);
      return powers.map((power) => power / sum);
    }
    case 'binaryCrossEntropy': {
      const shares = outputs.map((value) => 1 / (1 + Math.exp(-value)));
      const [second = 0] = shares;
      return shares.length === 1 ? [1 - second, second] : shares;
    }
    case 'meanSquaredError':
      return [...outputs];
  }
}
