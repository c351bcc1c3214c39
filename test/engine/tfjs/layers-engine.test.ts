import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { layers as keras, type LayersModel } from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LayersEngine, type GradientSums } from '../../../src/engine/tfjs/layers-engine.js';
import { loadTensorFlow } from '../../../src/engine/tfjs/libraries.js';
import type { LossName } from '../../../src/model/layers.js';
import { parseTopology } from '../../../src/engine/tfjs/topology.js';
import { tfjsFiles } from '../../../src/model/files/tfjs.js';
import { lenet5 } from '../../../src/model/lenet5.js';
import { buildModel } from '../../../src/model/model.js';
import { initialWeights } from '../../../src/model/initial-weights.js';
import { largestGradientError, largestRelativeError } from '../../reference/compare.js';
import { lossAndGradient } from '../../reference/reference.js';
import {
  chain,
  functional,
  oneDimensional,
  recurrent,
  residual,
  separable,
  someSamples,
  topologyOf,
  transposed,
} from './models.js';

const SEED = 3;
const CHANCE = { seed: SEED, step: 1, first: 0 };

beforeAll(async () => {
  await loadTensorFlow();
});

async function engineOf(
  model: LayersModel,
  loss: LossName = 'softmaxCrossEntropy',
): Promise<LayersEngine> {
  return LayersEngine.create({ core: tf, layers: tfl }, topologyOf(model), loss, SEED);
}

/** A model's gradients on a backend. */
async function gradientsOn(
  backend: 'cpu' | 'wasm',
  make: () => LayersModel,
  loss: LossName,
  count: number,
): Promise<GradientSums> {
  await tf.setBackend(backend);
  const engine = await engineOf(make(), loss);
  const { samples, labels } = someSamples(engine.sampleSize, count, Math.max(2, engine.outputs));
  return engine.gradients(engine.firstWeights, samples, labels, CHANCE);
}

afterEach(async () => {
  await tf.setBackend('wasm');
});

describe("gradients on the WebAssembly backend are the CPU backend's", () => {
  it.each([
    ['a residual block with batch normalisation', residual],
    ['depthwise and separable convolutions', separable],
    ['1-D convolutions', oneDimensional],
    ['transposed convolutions and concatenation', transposed],
    ['an embedding and a recurrent layer', recurrent],
  ])('for %s', async (_, make) => {
    const expected = await gradientsOn('cpu', make, 'softmaxCrossEntropy', 11);
    const actual = await gradientsOn('wasm', make, 'softmaxCrossEntropy', 11);
    expect(actual.loss).toBeCloseTo(expected.loss, 4);
    expect(actual.correct).toBe(expected.correct);
    const worst = largestRelativeError(actual.gradient, expected.gradient);
    expect(worst.error, `largest relative error at ${worst.index}`).toBeLessThan(1e-5);
  });
});

it('LeNet-5 has the gradients of the exact engine', async () => {
  const model = buildModel(lenet5);
  const weights = initialWeights(model, SEED);
  const { modelTopology } = JSON.parse(tfjsFiles(model, weights).modelJson) as {
    modelTopology: unknown;
  };
  const topology = parseTopology(modelTopology);
  const engine = await LayersEngine.create(
    { core: tf, layers: tfl },
    topology,
    'softmaxCrossEntropy',
    SEED,
  );
  const { samples, labels } = someSamples(engine.sampleSize, 5, 10);
  const images = Array.from({ length: labels.length }, (_, index) => {
    return Float64Array.from(samples.subarray(index * 784, (index + 1) * 784));
  });
  const expected = lossAndGradient(model, Float64Array.from(weights), images, [...labels]);
  const actual = engine.gradients(weights, samples, labels, CHANCE);
  expect(engine.parameterCount).toBe(model.parameterCount);
  expect(actual.loss).toBeCloseTo(expected.loss, 4);
  const worst = largestGradientError(model, actual.gradient, expected);
  expect(worst.error, JSON.stringify(worst)).toBeLessThan(1e-5);
});

/** A dense layer of known weights: outputs = x [1, 2] + [0.5, -0.5] for one input x. */
async function denseEngine(
  activation: 'linear' | 'softmax' | 'sigmoid',
  loss: LossName,
): Promise<(x: number, label: number) => { loss: number; classes: number[] }> {
  const engine = await engineOf(
    functional([1], (input) => chain(input, keras.dense({ units: 2, activation }))),
    loss,
  );
  return (x, label) => {
    const weights = Float32Array.from([1, 2, 0.5, -0.5]);
    const found = engine.evaluate(weights, Float32Array.of(x), Uint8Array.of(label));
    return { loss: found.losses[0] ?? NaN, classes: [...found.classes] };
  };
}

describe('losses', () => {
  const outputs = [1.5, 1.5, 3.5, 5.5] as const;
  const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

  it.each(['linear', 'softmax'] as const)(
    'cross-entropy of a model that ends in %s',
    async (end) => {
      const evaluate = await denseEngine(end, 'softmaxCrossEntropy');
      const { loss, classes } = evaluate(3, 0);
      expect(loss).toBeCloseTo(Math.log(1 + Math.exp(outputs[3] - outputs[2])), 5);
      expect(classes).toEqual([1]);
    },
  );

  it.each(['linear', 'sigmoid'] as const)(
    'binary cross-entropy of a model that ends in %s',
    async (end) => {
      const evaluate = await denseEngine(end, 'binaryCrossEntropy');
      const expected = (-Math.log(logistic(outputs[2])) - Math.log(1 - logistic(outputs[3]))) / 2;
      expect(evaluate(3, 0).loss).toBeCloseTo(expected, 5);
    },
  );

  it('the mean of squared errors', async () => {
    const evaluate = await denseEngine('linear', 'meanSquaredError');
    expect(evaluate(3, 0).loss).toBeCloseTo((2.5 ** 2 + 5.5 ** 2) / 2, 5);
  });

  it('a single output tells two classes apart', async () => {
    const model = functional([1], (input) =>
      chain(input, keras.dense({ units: 1, activation: 'sigmoid' })),
    );
    const engine = await engineOf(model, 'binaryCrossEntropy');
    const samples = Float32Array.of(-1, 2);
    const { classes, losses } = engine.evaluate(
      Float32Array.of(1, 0),
      samples,
      Uint8Array.of(0, 0),
    );
    expect([...classes]).toEqual([0, 1]);
    expect(losses[0]).toBeCloseTo(-Math.log(1 - logistic(-1)), 5);
    expect(losses[1]).toBeCloseTo(-Math.log(1 - logistic(2)), 5);
  });
});

it('a penalty on weights counts once for each sample', async () => {
  const make = (l2: number): LayersModel =>
    functional([2], (input) =>
      chain(
        input,
        keras.dense({ units: 2, kernelRegularizer: tfl.regularizers.l2({ l2 }), useBias: false }),
      ),
    );
  const { samples, labels } = someSamples(2, 3, 2);
  const weights = Float32Array.of(1, 2, 3, 4);
  const [plain, penalised] = await Promise.all(
    [0, 0.1].map(async (l2) =>
      (await engineOf(make(l2))).gradients(weights, samples, labels, CHANCE),
    ),
  );
  expect((penalised?.loss ?? 0) - (plain?.loss ?? 0)).toBeCloseTo(3 * 0.1 * (1 + 4 + 9 + 16), 4);
  weights.forEach((weight, index) => {
    const more = (penalised?.gradient[index] ?? 0) - (plain?.gradient[index] ?? 0);
    expect(more).toBeCloseTo(3 * 2 * 0.1 * weight, 4);
  });
});

describe('what random layers draw', () => {
  const dropout = (): LayersModel =>
    functional([20], (input) =>
      chain(input, keras.dropout({ rate: 0.5, seed: 1 }), keras.dense({ units: 2 })),
    );

  it('follows from the seed, the step and the place in the batch alone', async () => {
    const engine = await engineOf(dropout());
    const { samples, labels } = someSamples(20, 8, 2);
    const gradient = (seed: number, step: number, first = 0): number[] => [
      ...engine.gradients(engine.firstWeights, samples, labels, { seed, step, first }).gradient,
    ];
    expect(gradient(1, 5)).toEqual(gradient(1, 5));
    expect(gradient(1, 5)).not.toEqual(gradient(1, 6));
    expect(gradient(1, 5)).not.toEqual(gradient(2, 5));
    expect(gradient(1, 5)).not.toEqual(gradient(1, 5, 8));
  });

  it('includes the first weights', async () => {
    const [one, same, other] = await Promise.all(
      [1, 1, 2].map(async (seed) => {
        const topology = topologyOf(dropout());
        const tensorFlow = { core: tf, layers: tfl };
        return (await LayersEngine.create(tensorFlow, topology, 'softmaxCrossEntropy', seed))
          .firstWeights;
      }),
    );
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
  });
});

describe('batch normalisation', () => {
  const normalised = (args: { scale?: boolean; center?: boolean } = {}): LayersModel =>
    functional([3], (input) =>
      chain(input, keras.batchNormalization({ momentum: 0.9, ...args }), keras.dense({ units: 2 })),
    );

  it('its moving mean and variance come last, and move by what is taken off them', async () => {
    const engine = await engineOf(normalised());
    expect(engine.parameters.map(({ name }) => name.split('/')[1])).toEqual([
      ...['gamma', 'beta', 'kernel', 'bias'],
      ...['moving_mean', 'moving_variance'],
    ]);
    expect(engine.trainableCount).toBe(engine.parameterCount - 6);
    const samples = Float32Array.of(1, 2, 3, 5, 6, 7);
    const { firstWeights: weights } = engine;
    const { gradient } = engine.gradients(weights, samples, Uint8Array.of(0, 1), CHANCE);
    const moved = weights.map((weight, index) => weight - (gradient[index] ?? 0) / 2);
    const [mean, variance] = [0.1 * 3, 0.9 + 0.1 * 4];
    expect(moved[engine.trainableCount]).toBeCloseTo(mean, 5);
    expect(moved[engine.trainableCount + 3]).toBeCloseTo(variance, 5);
  });

  it.each([{ scale: false }, { center: false }])('trains with %o too', async (args) => {
    const engine = await engineOf(normalised(args));
    const { samples, labels } = someSamples(3, 4, 2);
    const { gradient } = engine.gradients(engine.firstWeights, samples, labels, CHANCE);
    expect(gradient.every(Number.isFinite)).toBe(true);
  });
});

it('gives back all memory that it takes for a step', async () => {
  const engine = await engineOf(residual());
  const { samples, labels } = someSamples(engine.sampleSize, 9, 3);
  const { firstWeights: weights } = engine;
  engine.gradients(weights, samples, labels, CHANCE);
  const before = tf.memory().numTensors;
  engine.gradients(weights, samples, labels, CHANCE);
  engine.evaluate(weights, samples, labels);
  expect(tf.memory().numTensors).toBe(before);
});

describe('models that cannot be trained are refused', () => {
  it.each([
    [
      'a class that TensorFlow.js has not',
      { class_name: 'Sequential', config: { layers: [{ class_name: 'Lambda', config: {} }] } },
      /"Lambda"/,
    ],
    ['something else', { class_name: 'Dense' }, /no Sequential/],
    [
      'a constraint',
      {
        class_name: 'Sequential',
        config: {
          layers: [
            { class_name: 'Dense', config: { kernel_constraint: { class_name: 'MaxNorm' } } },
          ],
        },
      },
      /kernel_constraint/,
    ],
  ])('%s', (_, topology, message) => {
    expect(() => parseTopology(topology)).toThrow(message);
  });

  it('a layer of more weights than are supported, before they are made', async () => {
    const layers = [
      { class_name: 'Dense', config: { units: 1_000_000, batch_input_shape: [null, 1000] } },
    ];
    const topology = parseTopology({ class_name: 'Sequential', config: { name: 'm', layers } });
    await expect(
      LayersEngine.create({ core: tf, layers: tfl }, topology, 'softmaxCrossEntropy', 1),
    ).rejects.toThrow(/parameters supported/);
  });

  it('a layer that TensorFlow.js computes but does not train', async () => {
    const dilated = functional([9, 9, 1], (input) =>
      chain(
        input,
        keras.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2 }),
        keras.flatten(),
        keras.dense({ units: 2 }),
      ),
    );
    await expect(engineOf(dilated)).rejects.toThrow(/cannot train it .*dilation/);
  });

  it("layers that do not fit, with TensorFlow.js's words", async () => {
    const layers = [
      { class_name: 'Dense', config: { units: 2, batch_input_shape: [null, 4], name: 'd' } },
      { class_name: 'Conv2D', config: { filters: 2, kernel_size: 3, name: 'c' } },
    ];
    const topology = parseTopology({ class_name: 'Sequential', config: { name: 'm', layers } });
    await expect(
      LayersEngine.create({ core: tf, layers: tfl }, topology, 'softmaxCrossEntropy', 1),
    ).rejects.toThrow(/cannot build it/);
  });
});
