import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { findCompilers } from '../../src/engine/native/compilers.js';
import { control, expectAsIfUndisturbed } from './support/control.js';
import { expectError } from './support/expectations.js';
import { test } from './support/place.js';

const PLAIN = ['--steps', '40', '--batch', '100', '--seed', '61'];
const RUN = [...PLAIN, '--augment', 'shift=0.1,rotate,scale=0.2,elastic=0.1'];
const hasCompiler = (await findCompilers({})).length > 0;

describe.concurrent('augmented training', () => {
  test('ends in the same weights on any fleet, whatever engine each has', async ({ place }) => {
    const fleet = ['--threads', '1', '--workers', '1'];
    const { running, url } = await place.coordinator([...RUN, ...fleet]);
    const worker = place.worker(url, ['--engine', hasCompiler ? 'native' : 'wasm']);
    const result = await running.event('result');
    expect(result.workers).toBe(1);
    await expectAsIfUndisturbed(result, RUN);
    expect((await worker.ended).code).toBe(0);
    expect(result.weightsSha256).not.toBe((await control(PLAIN)).weightsSha256);
  });

  test('goes on as it began, and its settings repeat it', async ({ place }) => {
    const flags = ['--epochs', '2', '--batch', '100', '--augment', 'rotate=20'];
    const running = place.start(['train', ...flags, '--out', 'run', '--json']);
    expect((await running.event('start')).augment).toBe('rotate=20');
    await running.event('epoch');
    running.signal('SIGTERM');
    expect(await running.event('result')).toMatchObject({ outcome: 'stopped' });
    await running.ended;
    await expectAsIfUndisturbed(await place.result(['train', '--resume', 'run']), flags);
    const config = JSON.parse(await readFile(place.at('run/config.json'), 'utf8')) as object;
    expect(config).toHaveProperty('augment', { shift: 0, rotate: 20, scale: 0, elastic: 0 });
    await expectAsIfUndisturbed(
      await place.result(['train', '--config', 'run/config.json', '--out', 'again']),
      flags,
    );
  });

  test('says what an amount may be', async ({ place }) => {
    const ended = await place.run(['train', '--augment', 'shift=2']);
    expectError(
      ended,
      2,
      /--augment must be none, or a list of shift \(at most 0\.5\), .*"shift=2"/,
    );
  });
});
