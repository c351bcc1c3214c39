import { describe, expect } from 'vitest';
import { expectError } from './support/expectations.js';
import { test } from './support/place.js';
import { freePort } from './support/ports.js';

describe.concurrent('a worker', () => {
  test('waits for a coordinator that is not up yet, and joins when it comes', async ({ place }) => {
    const port = await freePort();
    const worker = place.worker(`ws://127.0.0.1:${port}`);
    await worker.line(/^Waiting for a coordinator at ws:\/\/127\.0\.0\.1:\d+\.$/);
    const flags = ['--port', port, '--threads', '0', '--steps', '20', '--batch', '64'];
    const result = await place.result(['coordinator', ...flags]);
    expect(result.workers).toBe(1);
    const { code, stdout, stderr } = await worker.ended;
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Joined .*\n(.*\n)*The run is complete\.$/m);
    expect(stdout.match(/Waiting for a coordinator/g), stdout).toHaveLength(1);
  });

  test('gives up when its patience is over', async ({ place }) => {
    const since = performance.now();
    const ended = await place.run(['worker', 'ws://127.0.0.1:1', '--patience', '2s']);
    expectError(ended, 1, /no coordinator at ws:\/\/127\.0\.0\.1:1.*--patience/);
    const seconds = (performance.now() - since) / 1000;
    expect(seconds, 'it waited about as long as it was told').toBeGreaterThan(0.7);
    expect(seconds).toBeLessThan(10);
  });

  test('reports a coordinator that was killed, and gives up in the end', async ({ place }) => {
    const flags = ['--threads', '0', '--epochs', '10000', '--batch', '100', '--validation', '8000'];
    const { running, url } = await place.coordinator(flags);
    const worker = place.worker(url, ['--patience', '1s']);
    await running.event('epoch');
    expect(running.signal('SIGKILL'), 'the coordinator still ran').toBe(true);
    await worker.line(/^The connection to ws:\S+ was lost; trying again\.$/);
    expectError(await worker.ended, 1, /no coordinator at ws:\S+.*--patience/);
    expect((await running.ended).signal).toBe('SIGKILL');
  });

  test('joins again when the coordinator comes back on the same port, with what it has', async ({
    place,
  }) => {
    const run = ['--batch', '100', '--validation', '8000', '--seed', '5'];
    const flags = ['--threads', '0', ...run];
    const first = await place.coordinator([...flags, '--epochs', '10000']);
    const worker = place.worker(first.url);
    await first.running.event('epoch');
    expect(first.running.signal('SIGKILL'), 'the coordinator still ran').toBe(true);
    await worker.line(/^The connection to ws:\S+ was lost/);
    const port = new URL(first.url).port;
    const again = [...flags, '--port', port, '--steps', '12'];
    const result = await place.result(['coordinator', ...again]);
    expect(result.workers).toBe(1);
    const { code, stdout } = await worker.ended;
    expect(code).toBe(0);
    expect(stdout.match(/^Joined /gm), stdout).toHaveLength(2);
    expect(stdout.match(/^Fetched /gm), 'the data came once').toHaveLength(1);
    const alone = await place.result(['train', ...run, '--steps', '12']);
    expect(result.weightsSha256).toBe(alone.weightsSha256);
  });

  test('a second worker of this machine takes the data from the cache', async ({ place }) => {
    const { url } = await place.coordinator(['--threads', '0', '--workers', '2', '--steps', '5']);
    const first = place.worker(url);
    await first.line(/^Fetched .* MB/);
    await first.line(/^Joined /);
    const second = place.worker(url);
    await second.line(/in the cache\.$/);
    expect((await second.ended).code).toBe(0);
  });
});
