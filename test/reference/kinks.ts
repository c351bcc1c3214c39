import { isActivation } from '../../src/model/layers.js';
import type { Model } from '../../src/model/model.js';
import { kinksOf } from './activations.js';
import { at, largestMagnitude } from './arrays.js';
import { pooledPlaces, winners } from './pool2d.js';
import type { Draw } from './dropout.js';
import { trace, type Step } from './reference.js';

/**
 * The side of every kink that a traced sample is on: for each relu whether its input is positive (and so on), for each
 * max pooling window where its maximum is. Between weights with the same sides the loss is smooth.
 */
export function sides(steps: readonly Step[]): string {
  return steps
    .map(({ placed, values: [input = new Float64Array()] }) => {
      const { layer } = placed;
      if (layer.type === 'maxPool2d') return winners(placed, layer, input).join();
      if (!isActivation(layer)) return '';
      const kinks = kinksOf(layer);
      return Array.from(input, (x) => kinks.filter((kink) => x > kink).length).join('');
    })
    .join('|');
}

/**
 * Distances below this are ties by construction and not by chance. The zeros after a relu tie in
 * a max pooling window, and so do all outputs of a convolution over such zeros, or the one maximum
 * that overlapping windows share. Whichever of them wins, the weights' gradient is the same,
 * because they are the same function of the weights nearby.
 */
const TIE = 1e-13;

/**
 * How far one sample is from the nearest kink, relative to the largest magnitude at the layer
 * that has it: of a relu's input from 0, of a maximum from the others in its window. Arithmetic
 * with errors well below this takes the same side of every kink, so its gradients can be compared;
 * beyond it, a gradient may rightly flow another way. Infinity for a model without kinks.
 */
export function kinkMargin(
  model: Model,
  weights: Float64Array,
  image: Float64Array,
  draw?: Draw,
): number {
  let margin = Infinity;
  for (const step of trace(model, weights, image, draw).steps) {
    const scale = largestMagnitude(step.values[0] ?? []);
    for (const distance of distances(step)) {
      if (distance > TIE * scale) {
        margin = Math.min(margin, distance / scale);
      }
    }
  }
  return margin;
}

/** Every distance of one layer's input from a kink. */
function distances({ placed, values: [input = new Float64Array()] }: Step): number[] {
  const { layer } = placed;
  if (layer.type === 'maxPool2d') {
    return pooledPlaces(placed, layer).flatMap((places) => {
      const values = places.map((place) => at(input, place));
      const maximum = Math.max(...values);
      return values.map((value) => maximum - value);
    });
  }
  if (!isActivation(layer)) return [];
  return kinksOf(layer).flatMap((kink) => Array.from(input, (x) => Math.abs(x - kink)));
}
