import fc from 'fast-check';
import type { Activation, Conv2d, Pair, Padding, Pool2d } from '../../src/model/layers.js';

/** A pair of extents from 1 to `largest`. */
function pair(largest: number): fc.Arbitrary<Pair> {
  const extent = fc.integer({ min: 1, max: largest });
  return fc.tuple(extent, extent);
}

/** Strides from 1 to 3, mostly 1, so that images do not shrink to nothing in a layer or two. */
function strides(): fc.Arbitrary<Pair> {
  const stride = fc.constantFrom(1, 1, 1, 2, 3);
  return fc.tuple(stride, stride);
}

function padding(): fc.Arbitrary<Padding> {
  return fc.constantFrom('valid', 'same');
}

/** Any convolution; its window may not fit. */
export function arbitraryConvolution(): fc.Arbitrary<Conv2d> {
  return fc.record({
    type: fc.constant('conv2d'),
    filters: fc.integer({ min: 1, max: 9 }),
    kernel: pair(5),
    strides: strides(),
    padding: padding(),
  });
}

/** Any pooling layer; its window may not fit. */
export function arbitraryPool(): fc.Arbitrary<Pool2d> {
  return fc.record({
    type: fc.constantFrom('maxPool2d', 'averagePool2d'),
    size: pair(3),
    strides: strides(),
    padding: padding(),
  });
}

/** Any activation. */
export function arbitraryActivation(): fc.Arbitrary<Activation> {
  return fc.record({ type: fc.constantFrom('relu', 'tanh', 'sigmoid') });
}
