import { at } from './arrays.js';
import { lossOf } from './losses.js';
import { sides } from './kinks.js';
import type { Problem } from './problems.js';
import { trace } from './reference.js';

/**
 * The slope of the loss along one weight, from the losses a little to both sides of it; undefined
 * where a kink lies between them, and with it no slope.
 */
export function slopeAlong(problem: Problem, index: number, distance: number): number | undefined {
  const { model, weights, images, labels } = problem;
  const below = weights.slice();
  below[index] = at(weights, index) - distance;
  const above = weights.slice();
  above[index] = at(weights, index) + distance;

  let rise = 0;
  for (const [sample, image] of images.entries()) {
    const label = at(labels, sample);
    const [low, high] = [trace(model, below, image), trace(model, above, image)];
    if (sides(low.steps) !== sides(high.steps)) {
      return undefined;
    }
    rise += lossOf(model, high.outputs, label) - lossOf(model, low.outputs, label);
  }
  return rise / (at(above, index) - at(below, index));
}

/** Some of a model's weights: up to `count` of every parameter, evenly spread, with both ends. */
export function spreadIndices(problem: Problem, count: number): number[] {
  return problem.model.parameters.flatMap(({ offset, size }) => {
    const taken = Math.min(count, size);
    const between = taken > 1 ? (size - 1) / (taken - 1) : 0;
    return Array.from({ length: taken }, (_, nth) => offset + Math.floor(nth * between));
  });
}
