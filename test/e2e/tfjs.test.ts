import { mkdir, readFile, writeFile } from 'node:fs/promises';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { layers as keras } from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';
import { chain, functional, topologyOf } from '../engine/tfjs/models.js';
import { randomNumbers } from '../reference/random.js';
import type { Place } from './support/place.js';
import { test } from './support/place.js';

/** On the images of the npm package. */
const SHORT = ['--batch', '64', '--steps', '60', '--warmup', '0', '--schedule', 'constant'];
const TFJS = ['--engine', 'tfjs', ...SHORT];

/** A model.json of layers that the exact engines lack, in a folder of its own. */
async function writeModel(place: Place): Promise<string> {
  const model = functional([28, 28, 1], (input) =>
    chain(
      input,
      keras.separableConv2d({ filters: 4, kernelSize: 3, strides: 4 }),
      keras.batchNormalization({ momentum: 0.5 }),
      keras.reLU(),
      keras.dropout({ rate: 0.2 }),
      keras.flatten(),
      keras.dense({ units: 10, activation: 'softmax' }),
    ),
  );
  const file = place.at('net', 'model.json');
  await mkdir(place.at('net'));
  await writeFile(file, JSON.stringify({ modelTopology: topologyOf(model), weightsManifest: [] }));
  return file;
}

/** The trained model as TensorFlow.js loads it. */
async function loadInTensorFlow(place: Place, run: string): Promise<tfl.LayersModel> {
  const { modelTopology, weightsManifest } = JSON.parse(
    await readFile(place.at(run, 'model.json'), 'utf8'),
  ) as { modelTopology: object; weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[] };
  const bytes = await readFile(place.at(run, 'weights.bin'));
  const weightSpecs = weightsManifest[0]?.weights ?? [];
  const weightData = Uint8Array.from(bytes).buffer;
  return tfl.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
}

test('a model that only TensorFlow.js has: trained, stopped, resumed, saved and loaded', async ({
  place,
}) => {
  const model = await writeModel(place);
  const refused = await place.run(['train', '--model', model, ...SHORT]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('--engine tfjs');

  const args = ['train', '--model', model, ...TFJS, '--threads', '1'];
  const whole = await place.result([...args, '--out', 'whole']);
  expect(whole.arithmetic).toBe('approximate');
  expect(whole.engine).toBe('tfjs');
  expect(Number(whole.testAccuracy), 'it has learned something').toBeGreaterThan(0.2);

  await place.result([...args, '--steps', '30', '--out', 'part']);
  const resumed = ['--resume', 'part', '--engine', 'tfjs', '--override', 'steps', '--steps', '60'];
  const rest = await place.result(['train', ...resumed]);
  expect(rest.weightsSha256, 'one thread repeats itself, dropout too').toBe(whole.weightsSha256);

  const trained = await loadInTensorFlow(place, 'whole');
  const mean = trained.weights.find(({ name }) => name.includes('moving_mean'));
  expect(
    mean
      ?.read()
      .dataSync()
      .some((value) => value !== 0),
    'the moving mean moved',
  ).toBe(true);
  const evaluated = await place.run(['eval', 'whole', '--engine', 'tfjs', '--json']);
  const { testAccuracy } = JSON.parse(evaluated.stdout) as { testAccuracy: number };
  expect(testAccuracy).toBe(whole.testAccuracy);
});

test('two threads and a remote worker come to the same model, nearly', async ({ place }) => {
  const model = await writeModel(place);
  const coordinate = [
    '--model',
    model,
    ...TFJS,
    '--threads',
    '2',
    '--workers',
    '1',
    '--out',
    'run',
  ];
  const { running, url } = await place.coordinator(coordinate);
  const worker = place.worker(url, ['--engine', 'auto']);
  const exact = await place.worker(url, ['--engine', 'wasm']).ended;
  expect(exact.code).toBe(1);
  expect(exact.stderr).toContain('approximate');
  const result = await running.event('result');
  expect((await running.ended).code).toBe(0);
  expect((await worker.ended).code).toBe(0);
  expect(result.steps).toBe(60);
  expect(Number(result.testAccuracy), 'it has learned something').toBeGreaterThan(0.2);
});

/** Three kinds of flowers, so to speak, of four numbers each; written as text. */
async function writeTable(place: Place): Promise<void> {
  const next = randomNumbers(5);
  const rows = Array.from({ length: 300 }, (_, row) => {
    const kind = row % 3;
    const numbers = Array.from({ length: 4 }, (__, column) => next() + (column === kind ? 0.8 : 0));
    return [...numbers.map((number) => number.toFixed(4)), 'xyz'[kind]].join(',');
  });
  await writeFile(place.at('table.csv'), ['a,b,c,d,kind', ...rows, ''].join('\n'));
}

test('two workers train batch normalisation and separable convolutions on numbers of a table', async ({
  place,
}) => {
  await writeTable(place);
  const model = functional([4], (input) =>
    chain(
      input,
      keras.reshape({ targetShape: [2, 2, 1] }),
      keras.separableConv2d({ filters: 4, kernelSize: 2, padding: 'same' }),
      keras.batchNormalization({ momentum: 0.8 }),
      keras.reLU(),
      keras.flatten(),
      keras.dense({ units: 3, activation: 'softmax' }),
    ),
  );
  await writeFile(place.at('model.json'), JSON.stringify({ modelTopology: topologyOf(model) }));
  const data = ['--data', 'table.csv', '--label', 'kind', '--model', 'model.json'];
  const refused = await place.run(['train', ...data]);
  expect(refused.stderr).toMatch(
    /\(Reshape\): its class is not among .* --engine tfjs trains others/,
  );

  const flags = [...data, '--engine', 'tfjs', '--batch', '30', '--epochs', '12', '--lr', '0.05'];
  const fleet = ['--threads', '0', '--workers', '2', '--out', 'run'];
  const { running, url } = await place.coordinator([...flags, ...fleet]);
  const asWorker = ['--engine', 'auto', '--threads', '1'];
  const workers = [place.worker(url, asWorker), place.worker(url, asWorker)];
  const result = await running.event('result');
  expect(result).toMatchObject({ engine: 'tfjs', outcome: 'complete', workers: 2 });
  expect(Number(result.testAccuracy)).toBeGreaterThan(0.8);
  for (const worker of [running, ...workers]) expect((await worker.ended).code).toBe(0);
  const evaluated = await place.run(['eval', 'run', '--engine', 'tfjs', '--json']);
  const { testAccuracy } = JSON.parse(evaluated.stdout) as { testAccuracy: number };
  expect(testAccuracy).toBe(result.testAccuracy);
});

test('augmented images are those of the exact engines', async ({ place }) => {
  const firstLoss = async (engine: string, ...flags: string[]): Promise<number> => {
    const run = ['--engine', engine, '--steps', '1', '--batch', '64', '--threads', '1', ...flags];
    const running = place.start(['train', ...run, '--json', '--out', `${engine}${flags.length}`]);
    return Number((await running.event('epoch')).trainLoss);
  };
  const augmented = await firstLoss('tfjs', '--augment');
  expect(augmented).toBeCloseTo(await firstLoss('wasm', '--augment'), 5);
  expect(augmented).not.toBeCloseTo(await firstLoss('wasm'), 3);
});
