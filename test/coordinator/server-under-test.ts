import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { CoordinatorServer, type ServerOptions } from '../../coordinator/server.js';
import { noise, sumOf } from '../data/helpers.js';

export const shard = noise(100_000);
export const name = sumOf(shard);
type ServedShard =
  ServerOptions['shards'] extends ReadonlyMap<string, infer Served> ? Served : never;

export const TOKEN = 'the right token';
export const right = { authorization: `Bearer ${TOKEN}` };

/** What a server sends as a shard; in two parts, as it is in memory. */
export function shardOf(bytes: Uint8Array): ServedShard {
  return { bytes: bytes.length, content: [bytes.subarray(0, 7), bytes.subarray(7)] };
}

/** A server for the running test. */
export async function listen(options: Partial<ServerOptions> = {}): Promise<CoordinatorServer> {
  const server = await CoordinatorServer.listen({
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    largestFrame: 10_000,
    shards: new Map([[name, shardOf(shard)]]),
    onConnection: () => undefined,
    ...options,
  });
  onTestFinished(() => server.close());
  return server;
}

export function socketTo(
  server: CoordinatorServer,
  headers: Record<string, string> = right,
): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, { headers });
  onTestFinished(() => {
    socket.terminate();
  });
  return socket;
}

/** How a WebSocket fares: 'open', or the status with which it was refused. */
export function fate(socket: WebSocket): Promise<'open' | number | undefined> {
  return new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.once('open', () => {
      resolve('open');
    });
    socket.once('unexpected-response', (_, response) => {
      resolve(response.statusCode);
      socket.terminate();
    });
  });
}
