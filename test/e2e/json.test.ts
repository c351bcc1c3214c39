import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { eventsOf, placed } from './support/events.js';
import { test } from './support/place.js';
import type { JsonEvent } from './support/running.js';

/** The type of each field that scripts are built on. */
const contract: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  start: {
    run: 'string',
    runDir: 'string',
    model: 'string',
    parameters: 'number',
    dataset: 'string',
    datasetSource: 'string',
    trainSamples: 'number',
    validationSamples: 'number',
    testSamples: 'number',
    engine: 'string',
    threads: 'number',
    batch: 'number',
    epochs: 'number',
    steps: 'number',
    seed: 'number',
  },
  epoch: {
    epoch: 'number',
    step: 'number',
    trainLoss: 'number',
    trainAccuracy: 'number',
    testLoss: 'number',
    testAccuracy: 'number',
    seconds: 'number',
    samplesPerSecond: 'number',
  },
  worker: { action: 'string', name: 'string', threads: 'number', workers: 'number' },
  checkpoint: { step: 'number' },
  profile: { step: 'object', peakGflops: 'number', kernels: 'object' },
  result: {
    outcome: 'string',
    weightsSha256: 'string',
    steps: 'number',
    samples: 'number',
    testAccuracy: 'number',
    testLoss: 'number',
    wallSeconds: 'number',
    trainSeconds: 'number',
    samplesPerSecond: 'number',
    engine: 'string',
    threads: 'number',
    workers: 'number',
    refusedAnswers: 'number',
    dataset: 'string',
    runDir: 'string',
  },
};

function expectContract(events: readonly JsonEvent[]): void {
  for (const event of events) {
    const fields = contract[String(event.event)];
    expect(fields, `an event of the kind ${String(event.event)}`).toBeDefined();
    for (const [field, type] of Object.entries(fields ?? {})) {
      expect(typeof event[field], `${field} of ${JSON.stringify(event)}`).toBe(type);
    }
  }
  const kinds = events.map(({ event }) => event);
  expect(kinds[0]).toBe('start');
  expect(kinds.at(-1)).toBe('result');
  expect(kinds.filter((kind) => kind === 'start')).toHaveLength(1);
  expect(kinds.filter((kind) => kind === 'result')).toHaveLength(1);
}

describe('--json', () => {
  test('train prints events on standard output, and all else on standard error', async ({
    place,
  }) => {
    const flags = ['--batch', '512', '--epochs', '2', '--validation', '500', '--threads', '2'];
    const ended = await place.run(['train', ...flags, '--json']);
    expect(ended.code).toBe(0);
    const events = eventsOf(ended);
    expectContract(events);
    const epochs = placed(events, 'epoch').map(({ event }) => event);
    // 8,500 samples are 17 steps of at most 512.
    expect(epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 17],
      [2, 34],
    ]);
    for (const epoch of epochs) expect(typeof epoch.validationAccuracy).toBe('number');
    expect(events[0]).toMatchObject({
      event: 'start',
      model: 'lenet5',
      parameters: 61_706,
      dataset: 'mnist-10k',
      trainSamples: 8_500,
      validationSamples: 500,
      testSamples: 1_000,
      engine: 'wasm',
      threads: 2,
      batch: 512,
      epochs: 2,
      steps: 34,
      seed: 1,
    });
    const result = events.at(-1) ?? {};
    expect(result).toMatchObject({
      outcome: 'complete',
      steps: 34,
      samples: 17_000,
      workers: 0,
      threads: 2,
      engine: 'wasm',
      dataset: 'mnist-10k',
      runDir: events[0]?.runDir,
      testAccuracy: epochs[1]?.testAccuracy,
      testLoss: epochs[1]?.testLoss,
    });
    expect(result.weightsSha256).toMatch(/^[0-9a-f]{64}$/);
    const [wall, train] = [Number(result.wallSeconds), Number(result.trainSeconds)];
    expect(train).toBeGreaterThan(0);
    expect(wall).toBeGreaterThan(train);
    expect(result.samplesPerSecond).toBeCloseTo(17_000 / train, 3);
    expect(ended.stderr).toMatch(/Test accuracy \d/);
    expect(ended.stderr).toMatch(/epoch 2\/2/);
  });

  test('--quiet leaves the events alone and is silent but for the result', async ({ place }) => {
    const ended = await place.run(['train', '--steps', '5', '--json', '--quiet']);
    expectContract(eventsOf(ended));
    expect(ended.stderr).not.toMatch(/epoch/);
  });

  test('--profile adds where the time went, to the events and for people', async ({ place }) => {
    const ended = await place.run(['train', '--steps', '5', '--json', '--profile']);
    const events = eventsOf(ended);
    expectContract(events);
    expect(events.map(({ event }) => event).slice(-2)).toEqual(['profile', 'result']);
    const kernels = events.at(-2)?.kernels as { name: string }[];
    const step = events.at(-2)?.step as Record<string, number>;
    const { seconds = NaN, ...parts } = step;
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(seconds, 9);
    expect(
      Math.min(parts.gather ?? NaN, parts.compute ?? NaN, parts.update ?? NaN),
    ).toBeGreaterThan(0);
    expect(ended.stderr).toMatch(/at most \d+\.\d GFLOP\/s\.$/m);
    for (const { name } of kernels) expect(ended.stderr).toMatch(new RegExp(`^${name} +\\d`, 'm'));
  });

  test('coordinator reports its workers, and keeps the token out of its folder', async ({
    place,
  }) => {
    const token = 'not-for-others-1';
    const flags = ['--steps', '20', '--threads', '0', '--workers', '1', '--token', token];
    const { running, url } = await place.coordinator([...flags, '--out', 'run']);
    const worker = place.worker(url, ['--name', 'helper', '--token', token]);
    const ended = await running.ended;
    expect(ended.code).toBe(0);
    expect((await worker.ended).code).toBe(0);
    const events = eventsOf(ended);
    expectContract(events);
    expect(events[0]?.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
    expect(placed(events, 'worker').map(({ event }) => event)).toEqual([
      { event: 'worker', action: 'joined', name: 'helper', threads: 1, workers: 1 },
    ]);
    expect(events.at(-1)).toMatchObject({ workers: 1, threads: 0, steps: 20, samples: 1_280 });
    for (const file of ['config.json', 'metrics.jsonl', 'summary.json', 'model.json']) {
      expect(await readFile(place.at('run', file), 'utf8'), file).not.toContain(token);
    }
  });
});
