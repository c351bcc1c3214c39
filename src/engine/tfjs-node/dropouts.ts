import type { Dropout, Shape } from '../../model/layers.js';
import type { Model } from '../../model/model.js';

/** A dropout layer, what it multiplies by being an input of the graph. */
export interface DrawnDropout {
  /** The input's name: its values are those of `dropoutFactors`. */
  readonly input: string;
  readonly layer: Dropout;
  /** The layer's place in its model. */
  readonly draw: number;
  readonly shape: Shape;
}

export function dropoutsOf({ layers }: Model): DrawnDropout[] {
  return layers.flatMap(({ layer, output }, draw) =>
    layer.type === 'dropout' ? [{ input: inputOf(draw), layer, draw, shape: output }] : [],
  );
}

/** @param place of the layer in its model */
export function inputOf(place: number): string {
  return `factors_${place}`;
}
