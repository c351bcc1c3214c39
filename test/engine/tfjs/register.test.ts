import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { registerWasmKernels } from '../../../src/engine/tfjs/register.js';
import type { Padding, Pair } from '../../../src/model/layers.js';
import { largestRelativeError } from '../../reference/compare.js';
import { pool2dGradient } from '../../reference/pool2d.js';

const RUNS = 30;
const MOST_ERROR = 1e-5;

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('wasm');
  registerWasmKernels(tf);
});

interface Case {
  readonly samples: number;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  readonly filters: number;
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
  readonly seed: number;
}

const extent = (most: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: most });
const pair = (most: number): fc.Arbitrary<Pair> => fc.tuple(extent(most), extent(most));

const cases: fc.Arbitrary<Case> = fc
  .record({
    samples: extent(19),
    rows: extent(9),
    columns: extent(9),
    channels: extent(9),
    filters: extent(6),
    size: pair(4),
    strides: pair(3),
    padding: fc.constantFrom<Padding>('same', 'valid'),
    // Zero is none to TensorFlow.js.
    seed: fc.integer({ min: 1, max: 1_000_000 }),
  })
  .filter(({ rows, columns, size, padding }) => {
    return padding === 'same' || (rows >= size[0] && columns >= size[1]);
  });

/** The shape of what a pool makes of a case. */
function poolOutput(one: Case): [number, number, number, number] {
  const { samples, rows, columns, channels, size, strides, padding } = one;
  const axis = (cells: number, window: number, stride: number): number =>
    Math.ceil((padding === 'same' ? cells : cells - window + 1) / stride);
  return [samples, axis(rows, size[0], strides[0]), axis(columns, size[1], strides[1]), channels];
}

/** Values around `mean`, of which the seed decides. */
function noise(shape: number[], seed: number, mean = 0): tf.Tensor {
  return tf.tidy(() =>
    tf.tensor(tf.randomNormal(shape, mean, 1, 'float32', seed).dataSync(), shape),
  );
}

type Operation = (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor4D;

/** The gradients of sum(dy * operation(x, filter)) on a backend; dy is noise too. */
async function gradients(
  backend: 'cpu' | 'wasm',
  one: Case,
  filterShape: number[],
  operation: Operation,
): Promise<{ dx: Float32Array; dfilter: Float32Array }> {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const { samples, rows, columns, channels, seed } = one;
    const x = noise([samples, rows, columns, channels], seed, -1) as tf.Tensor4D;
    const filter = noise(filterShape, seed + 1) as tf.Tensor4D;
    const loss = (input: tf.Tensor, weights: tf.Tensor): tf.Scalar => {
      const y = operation(input as tf.Tensor4D, weights as tf.Tensor4D);
      return tf.sum(tf.mul(y, noise(y.shape, seed + 2)));
    };
    const [dx, dfilter] = tf.grads(loss)([x, filter]);
    return {
      dx: dx?.dataSync<'float32'>() ?? new Float32Array(),
      dfilter: dfilter?.dataSync<'float32'>() ?? new Float32Array(),
    };
  });
}

async function expectSameGradients(
  shapeOf: (one: Case) => number[],
  operation: (one: Case) => Operation,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const expected = await gradients('cpu', one, shapeOf(one), operation(one));
      const actual = await gradients('wasm', one, shapeOf(one), operation(one));
      expect(largestRelativeError(actual.dx, expected.dx).error).toBeLessThan(MOST_ERROR);
      expect(largestRelativeError(actual.dfilter, expected.dfilter).error).toBeLessThan(MOST_ERROR);
    }),
    { numRuns: RUNS },
  );
}

describe("gradients on the WebAssembly backend are the CPU backend's", () => {
  it('of a convolution', async () => {
    await expectSameGradients(
      ({ size, channels, filters }) => [...size, channels, filters],
      ({ strides, padding }) =>
        (x, filter) =>
          tf.conv2d(x, filter, [...strides], padding),
    );
  });

  it('of a depthwise convolution', async () => {
    await expectSameGradients(
      ({ size, channels, filters }) => [...size, channels, filters],
      ({ strides, padding }) =>
        (x, filter) =>
          tf.depthwiseConv2d(x, filter, [...strides], padding),
    );
  });

  it('of a max-pool, also where no value is positive', async () => {
    await expectSameGradients(
      poolOutput,
      ({ size, strides, padding }) =>
        (x, factors) =>
          tf.mul(tf.maxPool(x, [...size], [...strides], padding), factors),
    );
  });

  it('of a product of matrices, however they are turned', async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.boolean(), fc.boolean(), async (one, turnLeft, turnRight) => {
        const { rows, columns, channels, seed } = one;
        const product = async (backend: 'cpu' | 'wasm'): Promise<Float32Array> => {
          await tf.setBackend(backend);
          return tf.tidy(() => {
            const left = noise(turnLeft ? [columns, rows] : [rows, columns], seed);
            const right = noise(turnRight ? [channels, columns] : [columns, channels], seed + 1);
            return tf.matMul(left, right, turnLeft, turnRight).dataSync<'float32'>();
          });
        };
        const [expected, actual] = [await product('cpu'), await product('wasm')];
        expect(largestRelativeError(actual, expected).error).toBeLessThan(MOST_ERROR);
      }),
      { numRuns: RUNS },
    );
  });
});

it('an average pool shares its gradient among the cells that its window has, not the padding', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      const { samples, rows, columns, channels, size, strides, padding, seed } = one;
      const [, ...output] = poolOutput(one);
      const { dx } = await gradients('wasm', one, [1], (x, factor) =>
        tf.mul(tf.avgPool(x, [...size], [...strides], padding), tf.onesLike(factor)),
      );
      const layer = { type: 'averagePool2d', size, strides, padding } as const;
      const placed = {
        name: 'pool',
        layer,
        inputs: [0],
        input: [rows, columns, channels] as const,
        output,
      };
      const dy = noise([samples, ...output], seed + 2).dataSync();
      const perSample = { dx: dx.length / samples, dy: dy.length / samples };
      const expected = Array.from({ length: samples }, (_, sample) => {
        const part = dy.subarray(sample * perSample.dy, (sample + 1) * perSample.dy);
        const input = new Float64Array(perSample.dx);
        return [...pool2dGradient(placed, layer, input, Float64Array.from(part))];
      }).flat();
      expect(largestRelativeError(dx, expected).error).toBeLessThan(MOST_ERROR);
    }),
    { numRuns: RUNS },
  );
});
