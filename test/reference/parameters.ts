import type { Parameter, PlacedLayer } from '../../src/model/model.js';

/** A layer's kernel or bias, which must be there. */
export function parameterOf(placed: PlacedLayer, part: 'kernel' | 'bias'): Parameter {
  const parameter = placed[part];
  if (parameter === undefined) {
    throw new TypeError(`${placed.name} has no ${part}`);
  }
  return parameter;
}
