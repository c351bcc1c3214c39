import type { Model } from '../../src/model/model.js';
import { at, largestMagnitude } from './arrays.js';
import type { LossAndGradient } from './reference.js';

/** A difference, and where it is. */
export interface RelativeError {
  readonly error: number;
  /** -1 where nothing differs. */
  readonly index: number;
}

/** Below float32's smallest normal number, so that it only matters when all values are zero. */
const TINY = 1e-38;

/**
 * The largest difference between two arrays, divided by the largest magnitude of the expected
 * one (or by a tiny number, when that is all zeros). One scale for the whole array, because the
 * rounding of a sum is in proportion to its terms and not to what is left of them: an element
 * that cancels to nearly nothing is not asked to be right to the last digit.
 *
 * Infinity wherever a value is not finite, unless both are the same.
 */
export function largestRelativeError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): RelativeError {
  if (actual.length !== expected.length) {
    throw new RangeError(`${actual.length} values, not ${expected.length}`);
  }
  const scale = Math.max(largestMagnitude(Array.from(expected).filter(Number.isFinite)), TINY);
  let worst: RelativeError = { error: 0, index: -1 };
  for (let index = 0; index < expected.length; index++) {
    const error = difference(at(actual, index), at(expected, index)) / scale;
    if (error > worst.error) {
      worst = { error, index };
    }
  }
  return worst;
}

/**
 * The largest difference of a model's gradient from the expected one, divided by the largest
 * `magnitude` in its layer: each layer has its own scale, so that one whose gradient is small is
 * held to the same standard as the others, and a sum that cancels is not.
 */
export function largestGradientError(
  model: Model,
  actual: ArrayLike<number>,
  expected: Pick<LossAndGradient, 'gradient' | 'magnitude'>,
): RelativeError & { readonly parameter: string } {
  if (actual.length !== model.parameterCount) {
    throw new RangeError(`${actual.length} values, not ${model.parameterCount}`);
  }
  let worst = { error: 0, index: -1, parameter: '' };
  for (const { kernel, bias } of model.layers) {
    const parameters = [kernel, bias].filter((parameter) => parameter !== undefined);
    const scale = Math.max(
      TINY,
      ...parameters.map(({ offset, size }) =>
        largestMagnitude(expected.magnitude.subarray(offset, offset + size)),
      ),
    );
    for (const { name, offset, size } of parameters) {
      for (let index = offset; index < offset + size; index++) {
        const error = difference(at(actual, index), at(expected.gradient, index)) / scale;
        if (error > worst.error) {
          worst = { error, index, parameter: name };
        }
      }
    }
  }
  return worst;
}

function difference(actual: number, expected: number): number {
  if (Object.is(actual, expected)) {
    return 0;
  }
  const apart = Math.abs(actual - expected);
  return Number.isNaN(apart) ? Infinity : apart;
}

/**
 * Of a problem whose samples are all surer than this, gradients in float32 cannot be compared: they
 * are what is left of 1 - p, and that may be nothing.
 */
export const LEAST_LOSS = 0.01;
