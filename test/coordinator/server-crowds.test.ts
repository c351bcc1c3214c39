import type { Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CoordinatorServer } from '../../coordinator/server.js';
import type * as protocol from '../../src/protocol/protocol.js';
import { everythingFrom, openSocket, rawRequest, upgrade } from './http.js';

// As many as the real limits allow would be more than some systems do.
vi.mock('../../src/protocol/protocol.js', async (original) => {
  const actual = await original<typeof protocol>();
  return { ...actual, limits: { ...actual.limits, connections: 4, workers: 2 } };
});

async function listen(): Promise<CoordinatorServer> {
  const server = await CoordinatorServer.listen({
    host: '127.0.0.1',
    port: 0,
    token: null,
    largestFrame: 100,
    shards: new Map(),
    onConnection: () => undefined,
  });
  onTestFinished(() => server.close());
  return server;
}

/** A worker's connection, and the first line of the answer. */
async function openWorker(port: number): Promise<string> {
  const socket = await openSocket(port);
  const head = Object.entries({ host: 'x', ...upgrade }).map(
    ([key, value]) => `${key}: ${value}\r\n`,
  );
  socket.write(`GET /ws HTTP/1.1\r\n${head.join('')}\r\n`);
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  return answer.toString('latin1').split('\r\n', 1)[0] ?? '';
}

function ended(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => {
    socket.once('end', resolve).once('close', () => {
      resolve();
    });
  });
}

test('more connections than there may be are closed at once, and the others are served', async () => {
  const { port } = await listen();
  const first = await openSocket(port);
  for (let count = 2; count <= 4; count++) await openSocket(port);
  await ended(await openSocket(port));
  first.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  expect(await everythingFrom(first)).toMatch(/^HTTP\/1.1 200 /);
});

test('more workers than there may be are told that there is no room', async () => {
  const { port } = await listen();
  for (let count = 1; count <= 2; count++) {
    expect(await openWorker(port)).toBe('HTTP/1.1 101 Switching Protocols');
  }
  expect(await openWorker(port)).toBe('HTTP/1.1 503 Service Unavailable');
  expect(await rawRequest(port, '/healthz')).toMatchObject({ status: 200 });
});
