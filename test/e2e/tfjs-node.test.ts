import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { tensorflow } from '../engine/tfjs-node/installed.js';
import { control } from './support/control.js';
import { expectError } from './support/expectations.js';
import { test } from './support/place.js';

const RUN = ['--steps', '60', '--batch', '100', '--seed', '61'];
const TENSORFLOW = ['--engine', 'tfjs-node'];
const APPROXIMATE = { engine: 'tfjs-node', arithmetic: 'approximate' };

describe.skipIf(tensorflow.missing).concurrent(`TensorFlow${tensorflow.where}`, () => {
  test('trains to the accuracy of an exact engine, and says that it is not one', async ({
    place,
  }) => {
    const running = place.start(['train', ...RUN, ...TENSORFLOW, '--threads', '2', '--out', 'run']);
    await running.line(/^approximate engine tfjs-node \(TensorFlow 2\..*\), 2 threads$/);
    await running.line(/^Weights SHA-256 [0-9a-f]{64} \(approximate: .*\)$/);
    expect((await running.ended).code).toBe(0);
    const summary = JSON.parse(await readFile(place.at('run', 'summary.json'), 'utf8')) as {
      testAccuracy: number;
      testLoss: number;
    };
    expect(summary).toMatchObject({ ...APPROXIMATE, outcome: 'complete', steps: 60 });
    const exact = await control(RUN);
    expect(exact).toMatchObject({ arithmetic: 'exact' });
    expect(Math.abs(summary.testAccuracy - Number(exact.testAccuracy))).toBeLessThan(0.03);
    const evaluated = await place.run(['eval', 'run', ...TENSORFLOW, '--json']);
    expect(JSON.parse(evaluated.stdout)).toMatchObject({
      ...APPROXIMATE,
      testAccuracy: summary.testAccuracy,
    });
  });

  test('in two remote workers, one of which takes what the run wants, and none that is exact', async ({
    place,
  }) => {
    const { running, url } = await place.coordinator([
      ...[...RUN, ...TENSORFLOW],
      ...['--threads', '0', '--workers', '2'],
    ]);
    const other = place.worker(url, ['--engine', 'wasm']);
    expectError(
      await other.ended,
      1,
      /refused this worker: its engine wasm is exact, and all engines of this run are approximate;/,
    );
    const workers = [
      place.worker(url, [...TENSORFLOW, '--threads', '2']),
      place.worker(url, ['--engine', 'auto']),
    ];
    for (const worker of workers) {
      await worker.line(/^Joined .*, approximate engine tfjs-node \(TensorFlow 2\..*\)\.$/);
    }
    const result = await running.event('result');
    expect(result).toMatchObject({ ...APPROXIMATE, outcome: 'complete', workers: 2 });
    const exact = await control(RUN);
    expect(Math.abs(Number(result.testAccuracy) - Number(exact.testAccuracy))).toBeLessThan(0.03);
    for (const worker of workers) expect((await worker.ended).code).toBe(0);
  });

  test('begins a run that an exact engine goes on with only if told so; it stays approximate', async ({
    place,
  }) => {
    const flags = ['--batch', '20', '--checkpoint-every', '50', '--out', 'run'];
    const running = place.start(['train', ...flags, ...TENSORFLOW, '--json']);
    await running.event('checkpoint');
    running.signal('SIGTERM');
    expect(await running.event('result')).toMatchObject({ ...APPROXIMATE, outcome: 'stopped' });
    const exact = ['train', '--resume', 'run', '--engine', 'wasm'];
    expectError(
      await place.run(exact),
      2,
      /--engine is wasm, which is exact, and the run's is tfjs-node, which is approximate: .*--override engine/,
    );
    const args = [...exact, '--override', 'engine,steps,epochs', '--epochs', '1'];
    const result = await place.result([...args, '--steps', '450']);
    expect(result).toMatchObject({ engine: 'wasm', arithmetic: 'approximate' });
  });

  test('starts time and again with 2 to 4 threads', async ({ place }) => {
    for (const threads of [2, 3, 4, 4]) {
      const args = ['train', '--steps', '2', ...TENSORFLOW, '--threads', String(threads)];
      expect(await place.result(args)).toMatchObject({ outcome: 'complete', threads });
    }
  });
});
