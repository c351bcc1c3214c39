import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { DtrainError, type ErrorCode } from '../../src/errors.js';
import type { ModelSpec } from '../../src/model/layers.js';
import { lenet5, lenet5Of1998 } from '../../src/model/lenet5.js';
import { buildModel, sizeOf, type Model } from '../../src/model/model.js';
import { readTfjsModel, tfjsFiles } from '../../src/model/files/tfjs.js';
import { randomNumbers } from '../reference/random.js';

/** Every layer type; strides, same padding, and windows that are not square. */
export const everyLayer: ModelSpec = {
  name: 'every.layer_1',
  input: [11, 14, 3],
  layers: [
    { type: 'conv2d', filters: 5, kernel: [2, 3], strides: [2, 1], padding: 'same' },
    { type: 'sigmoid' },
    { type: 'maxPool2d', size: [3, 2], strides: [1, 2], padding: 'same' },
    { type: 'conv2d', filters: 4, kernel: [1, 4], strides: [1, 3], padding: 'valid' },
    { type: 'tanh' },
    { type: 'averagePool2d', size: [2, 3], strides: [2, 2], padding: 'same' },
    { type: 'flatten' },
    { type: 'dense', units: 7 },
    { type: 'relu' },
    { type: 'dense', units: 3 },
  ],
};

/** Branches, a layer of each kind that `everyLayer` lacks, and another loss. */
export const graph: ModelSpec = {
  name: 'graph',
  input: [6, 7, 2],
  loss: 'meanSquaredError',
  layers: [
    {
      type: 'zeroPadding2d',
      zeros: [
        [1, 0],
        [0, 2],
      ],
    },
    { type: 'conv2d', filters: 2, kernel: [2, 3], strides: [1, 1], padding: 'valid', name: 'stem' },
    { type: 'elu', alpha: 0.5 },
    { type: 'add', inputs: [2, -1] },
    { type: 'relu6' },
    { type: 'conv2d', filters: 2, kernel: [3, 3], strides: [1, 1], padding: 'same', inputs: [3] },
    { type: 'leakyReLU', alpha: 0.25 },
    { type: 'add', inputs: [4, 6, 3] },
    { type: 'dropout', rate: 0.25 },
    { type: 'globalAveragePool2d' },
    { type: 'dense', units: 3, name: 'block/head' },
    { type: 'softmax' },
  ],
};

export const specs: readonly ModelSpec[] = [lenet5, lenet5Of1998, everyLayer];

/** The smallest model there is, with 6 weights. */
export const tiny = buildModel({
  name: 'tiny',
  input: [1, 2, 1],
  layers: [{ type: 'flatten' }, { type: 'dense', units: 2 }],
});

/** Weights that keep the activations near 1: the variance goes with the number of inputs. */
export function randomWeights(model: Model, seed: number): Float32Array {
  const next = randomNumbers(seed);
  const weights = new Float32Array(model.parameterCount);
  for (const { shape, offset, size } of model.parameters) {
    const limit = Math.sqrt(3 / Math.max(1, sizeOf(shape.slice(0, -1))));
    for (let index = offset; index < offset + size; index++) {
      weights[index] = (2 * next() - 1) * limit;
    }
  }
  return weights;
}

/** The folder of a model that Keras' converter wrote; test/e2e/keras.test.ts says how. */
export function kerasModel(name: 'branches' | 'separable'): string {
  return fileURLToPath(new URL(`keras/${name}`, import.meta.url));
}

/** A new folder that the running test's end removes. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dtrain-model-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a model as `tfjsFiles` does into a new folder; returns the path of its model.json. */
export async function writeTfjs(model: Model, weights: Float32Array): Promise<string> {
  const { modelJson, weightsBin } = tfjsFiles(model, weights);
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'weights.bin'), weightsBin);
  await writeFile(join(folder, 'model.json'), modelJson);
  return join(folder, 'model.json');
}

/** Reads a model.json that has weights. */
export async function readTrained(path: string): Promise<{ model: Model; weights: Float32Array }> {
  const { model, weights } = await readTfjsModel(path);
  return { model, weights: weights ?? expect.fail('it has no weights') };
}

/** The bits of float32 values, for comparisons that tell 0 from -0. */
export function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.slice().buffer);
}

/** What a DtrainError of this code matches, if its message is one sentence with all of `parts`. */
export function dtrainError(code: ErrorCode, ...parts: readonly string[]): unknown {
  return expect.toSatisfy((error: unknown) => {
    expect(error).toBeInstanceOf(DtrainError);
    expect(error).toMatchObject({ code });
    const message = error instanceof Error ? error.message : '';
    for (const part of parts) expect(message).toContain(part);
    expect(message).toMatch(/^[^\n]+\.$/);
    return true;
  });
}

/** What `action` throws. */
export function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
