import fc from 'fast-check';
import type { Activation, Conv2d, Layer, Pair, Padding, Pool2d } from '../../src/model/layers.js';

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
function arbitraryConvolution(): fc.Arbitrary<Conv2d> {
  return fc.record({
    type: fc.constant('conv2d'),
    filters: fc.integer({ min: 1, max: 9 }),
    kernel: pair(5),
    strides: strides(),
    padding: padding(),
  });
}

/** Any pooling layer; its window may not fit. */
function arbitraryPool(): fc.Arbitrary<Pool2d> {
  return fc.record({
    type: fc.constantFrom('maxPool2d', 'averagePool2d'),
    size: pair(3),
    strides: strides(),
    padding: padding(),
  });
}

/** Any activation. */
export function arbitraryActivation(): fc.Arbitrary<Activation> {
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constantFrom('relu', 'relu6', 'tanh', 'sigmoid') }),
    },
    fc.record({ type: fc.constant('leakyReLU'), alpha: fc.constantFrom(0, 0.1, 0.3) }),
    // The only alpha that TensorFlow.js has.
    fc.record({ type: fc.constant('elu'), alpha: fc.constant(1) }),
  );
}

/** Zeros around an image, or values dropped from it. */
function arbitraryPlain(): fc.Arbitrary<Layer> {
  const zeros = fc.integer({ min: 0, max: 2 });
  const side = fc.tuple(zeros, zeros);
  return fc.oneof(
    fc.record({ type: fc.constant('zeroPadding2d'), zeros: fc.tuple(side, side) }),
    fc.record({ type: fc.constant('dropout'), rate: fc.constantFrom(0, 0.1, 0.5) }),
  );
}

/** Any layer that makes an image of an image. */
export function arbitraryImageLayer(): fc.Arbitrary<Layer> {
  return fc.oneof(
    { weight: 2, arbitrary: arbitraryConvolution() },
    { weight: 2, arbitrary: arbitraryPool() },
    { weight: 2, arbitrary: arbitraryActivation() },
    arbitraryPlain(),
  );
}
