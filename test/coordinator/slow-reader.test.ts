import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { RemoteMember } from '../../dist/coordinator/remote-members.js';
import { encodeFrame } from '../../src/protocol/frame.js';
import { limits, pieceBytes } from '../../src/protocol/protocol.js';
import { model } from '../threads/problem.js';
import { Client } from './client.js';
import { expectRightWeights } from './expectations.js';
import { type RunUnderTest, startRun } from './run.js';

const frame = encodeFrame({ type: 'weights', step: 0 }, new Uint8Array(256 * 1024));
/** More than the system itself would hold for a connection. */
const plenty = 256 * 1024 * 1024;

/** A worker joins; what the coordinator sends it goes through its end of the connection. */
async function join(run: RunUnderTest, client: Client): Promise<RemoteMember> {
  const joining = vi.spyOn(run.training, 'join');
  await client.join('slow');
  await run.happened(({ action }) => action === 'joined');
  const [call] = joining.mock.calls;
  if (!call) throw new Error('Nobody has joined.');
  return call[0];
}

test('a worker that does not read what it is sent is cut off before that piles up', async () => {
  const run = await startRun({ workers: 2 });
  const client = await Client.connect(run.port);
  const member = await join(run, client);
  client.socket.pause();
  const buffered = vi.spyOn(WebSocket.prototype, 'bufferedAmount', 'get');
  let sent = 0;
  while (run.training.workers > 0 && sent < plenty) {
    member.send(frame);
    sent += frame.length;
    await new Promise(setImmediate);
  }
  const amounts = buffered.mock.results.map(({ value }) => Number(value));
  buffered.mockRestore();
  const most = limits.waitingBytes + 2 * pieceBytes(model.parameterCount);
  expect(amounts.pop()).toBeGreaterThan(most);
  expect(Math.max(...amounts)).toBeLessThanOrEqual(most);
  expect(run.events.at(-1)).toMatchObject({
    action: 'left',
    name: 'slow',
    workers: 0,
    reason: 'it does not read what it is sent',
  });
  client.socket.resume();
  expect(await client.closed).toBe(1006);
});

test('a worker that reads is sent as much as there is', async () => {
  const run = await startRun();
  const client = await Client.connect(run.port);
  const member = await join(run, client);
  await client.next('weights');
  await client.next('work');
  for (let sent = 0; sent < 32 * limits.waitingBytes; sent += frame.length) {
    member.send(frame);
    await client.next('weights');
  }
  expect(run.training.workers).toBe(1);
  client.say({ type: 'leave' });
  await expectRightWeights(run);
});
