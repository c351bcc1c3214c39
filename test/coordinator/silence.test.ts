import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { limits } from '../../src/protocol/protocol.js';
import { Client } from './client.js';
import { expectRefused, expectRightWeights } from './expectations.js';
import { startRun } from './run.js';

/** It does not answer pings by itself. */
const mute = { autoPong: false };

describe('a worker whose connection is open and of whom nothing is heard', () => {
  test('is lost after 2 s, and back as soon as something is heard', async () => {
    const run = await startRun();
    const quiet = await Client.connect(run.port, mute);
    await quiet.join('quiet');
    await quiet.next('weights');
    await quiet.next('work');
    expect(await run.happened(({ action }) => action === 'lost')).toEqual({
      event: 'worker',
      action: 'lost',
      name: 'quiet',
      threads: 1,
      workers: 0,
      reason: 'it has been silent for 2 s',
    });
    expect(run.training.workers).toBe(0);
    quiet.socket.pong();
    expect(await run.happened(({ action }) => action === 'back')).toEqual({
      event: 'worker',
      action: 'back',
      name: 'quiet',
      threads: 1,
      workers: 1,
    });
    expect(run.training.workers).toBe(1);
    expect(run.events.map(({ action }) => action)).toEqual(['joined', 'lost', 'back']);
    quiet.say({ type: 'leave' });
    await expectRightWeights(run);
  });

  test('is cut off after 10 s, whether or not it was ready; one that answers pings is not', async () => {
    const run = await startRun({ workers: 9 });
    const steady = await Client.connect(run.port);
    await steady.join('steady');
    const preparing = await Client.connect(run.port, mute);
    preparing.hello('preparing');
    const quiet = await Client.connect(run.port, mute);
    await quiet.join('quiet');
    const since = performance.now();
    expect(await Promise.all([preparing.closed, quiet.closed])).toEqual([1006, 1006]);
    expect(performance.now() - since).toBeGreaterThanOrEqual(limits.workerSilentMs - 500);
    expect(await run.happened(({ action }) => action === 'left')).toMatchObject({
      name: 'quiet',
      reason: 'it has been silent for 10 s',
      workers: 1,
    });
    expect(run.events.map(({ name, action }) => `${name} ${action}`)).toEqual([
      'steady joined',
      'quiet joined',
      'quiet lost',
      'quiet left',
    ]);
    expect(run.notices).toEqual(['A worker was refused: it has been silent for 10 s.']);
    expect(steady.socket.readyState).toBe(WebSocket.OPEN);
  });
});

test('a worker that never becomes ready is refused after ten minutes', async () => {
  const run = await startRun();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const client = await Client.connect(run.port);
  client.hello('slow');
  await client.next('welcome');
  vi.advanceTimersByTime(limits.prepare.ms - 1);
  await client.heard();
  expect(client.socket.readyState).toBe(WebSocket.OPEN);
  // What its data adds.
  vi.advanceTimersByTime(100);
  await expectRefused(client, /^it did not get ready in time$/);
  vi.useRealTimers();
  expect(run.notices).toEqual(['A worker was refused: it did not get ready in time.']);
  expect(run.events).toEqual([]);
  await expectRightWeights(run);
});
