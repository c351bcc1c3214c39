import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { expectAsIfUndisturbed } from './support/control.js';
import { type Place, test } from './support/place.js';
import type { Running } from './support/running.js';

const FLAGS = ['--epochs', '2'];

async function stopAfter(running: Running, step: number): Promise<void> {
  await running.event('checkpoint', (event) => Number(event.step) >= step);
  expect(running.signal('SIGTERM')).toBe(true);
  const { code } = await running.ended;
  expect(code).toBe(0);
  expect(await running.event('result')).toMatchObject({ outcome: 'stopped' });
}

async function checkpoints(place: Place): Promise<string[]> {
  const names = await readdir(place.at('run/checkpoints'));
  return names.sort().map((name) => place.at('run/checkpoints', name));
}

/** Changes one bit in the middle of a file. */
async function damage(file: string): Promise<void> {
  const bytes = await readFile(file);
  const at = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
  await writeFile(file, bytes);
}

/** A run that was stopped, with at least two checkpoints. */
async function stopped(place: Place): Promise<void> {
  const flags = ['--threads', '1', '--checkpoint-every', '10', '--out', 'run', '--json'];
  await stopAfter(place.start(['train', ...FLAGS, ...flags]), 30);
}

describe.concurrent('a run that is resumed', () => {
  test('on other fleets, by the line that it printed', async ({ place }) => {
    await stopped(place);
    const coordinator = await place.resumed(['--threads', '0', '--host', '127.0.0.1']);
    const worker = place.worker(coordinator.url, ['--patience', '0s']);
    await stopAfter(coordinator.running, 100);
    expect((await worker.ended).code).toBe(0);
    const { resume } = await coordinator.running.event('result');
    expect(resume).toBe(`dtrain coordinator --resume ${place.at('run')}`);
    const result = await place.result(['train', '--resume', 'run', '--threads', '2']);
    await expectAsIfUndisturbed(result, FLAGS);
    const metrics = (await readFile(place.at('run/metrics.jsonl'), 'utf8')).trimEnd().split('\n');
    const lines = metrics.map((line) => JSON.parse(line) as { event: string; step: number });
    expect(lines.filter(({ event }) => event === 'step').map(({ step }) => step)).toEqual(
      Array.from({ length: 29 }, (_, index) => 10 * index + 1),
    );
  });

  test('after SIGUSR1 and kill -9', async ({ place }) => {
    const flags = ['--threads', '1', '--checkpoint-every', '1h', '--out', 'run'];
    const running = place.start(['train', ...FLAGS, '--batch', '8', ...flags]);
    await running.line(/^engine/);
    running.signal('SIGUSR1');
    await running.line(/^The checkpoint of step \d+ is saved in /);
    running.signal('SIGKILL');
    await running.ended;
    const result = await place.result(['train', '--resume', 'run']);
    await expectAsIfUndisturbed(result, [...FLAGS, '--batch', '8']);
  });

  test('names a damaged checkpoint and uses the one before it', async ({ place }) => {
    await stopped(place);
    const newest = (await checkpoints(place)).at(-1) ?? '';
    await damage(newest);
    const running = place.start(['train', '--resume', 'run', '--json']);
    await running.line(/is damaged: its checksum does not match; the checkpoint before/, 'stderr');
    await expectAsIfUndisturbed(await running.event('result'), FLAGS);
  });

  test('says so if all are damaged', async ({ place }) => {
    await stopped(place);
    for (const file of await checkpoints(place)) await damage(file);
    const { code, stderr } = await place.run(['train', '--resume', 'run']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .* is damaged: .*; .* the run must start anew\.\n$/);
  });

  test('refuses other settings, and takes them with --override', async ({ place }) => {
    await stopped(place);
    const { code, stderr } = await place.run(['train', '--resume', 'run', '--lr', '0.01']);
    expect(code).toBe(2);
    expect(stderr).toBe(
      "error: --lr is 0.01, and the run's is 0.05: leave it out, or add --override lr to change it all the same.\n",
    );
    const flags = ['--lr', '0.01', '--override', 'lr'];
    const result = await place.result(['train', '--resume', 'run', ...flags]);
    expect(result).toMatchObject({ outcome: 'complete', steps: 282 });
    const { weightsSha256 } = await place.result(['train', ...FLAGS, '--out', 'control']);
    expect(result.weightsSha256).not.toBe(weightsSha256);
  });

  test('belongs to one process at a time', async ({ place }) => {
    const flags = ['--threads', '1', '--epochs', '1000', '--checkpoint-every', '10'];
    const running = place.start(['train', ...flags, '--out', 'run', '--json']);
    await running.event('checkpoint');
    const { code, stderr } = await place.run(['train', '--resume', 'run']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: Process \d+ on \S+ is at work on the run in /);
    running.signal('SIGTERM');
    expect((await running.ended).code).toBe(0);
  });

  test('knows its workers by the same token, which goes when it is complete', async ({ place }) => {
    const flags = ['--epochs', '1', '--threads', '1', '--host', '127.1', '--out', 'run'];
    const { running } = await place.coordinator([...flags, '--checkpoint-every', '10']);
    const token = await readFile(place.at('run/token'), 'utf8');
    expect(token).toMatch(/^[0-9a-f]{32}$/);
    expect((await stat(place.at('run/token'))).mode & 0o777).toBe(0o600);
    await running.event('checkpoint');
    running.signal('SIGKILL');
    await running.ended;
    const again = await place.resumed();
    await again.running.line(new RegExp(`--token ${token}$`), 'stderr');
    expect((await again.running.ended).code).toBe(0);
    expect(await readdir(place.at('run'))).not.toContain('token');
  });
});
