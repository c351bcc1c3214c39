import { describe, expect, onTestFinished, test } from 'vitest';
import type { WebSocket } from 'ws';
import { CoordinatorServer } from '../../coordinator/server.js';
import { connect } from '../../worker/connect.js';
import { parseCoordinatorUrl } from '../../worker/url.js';
import { dtrainError } from '../data/helpers.js';
import { bareServer, unusedPort, webServer } from './servers.js';

async function coordinator(token: string | null): Promise<number> {
  const server = await CoordinatorServer.listen({
    host: '127.0.0.1',
    port: 0,
    token,
    largestFrame: 1000,
    shards: new Map(),
    onConnection: (socket) => socket.on('error', () => undefined),
  });
  onTestFinished(() => server.close());
  return server.port;
}

/** Nobody leaves. */
const { signal: stay } = new AbortController();

async function connectTo(port: number, token: string | null): Promise<WebSocket | undefined> {
  const socket = await connect(parseCoordinatorUrl(`127.0.0.1:${port}`), token, stay);
  if (socket)
    onTestFinished(() => {
      socket.terminate();
    });
  return socket;
}

describe('a coordinator', () => {
  test.each([
    ['wants no token, and none is given', null, null],
    ['wants no token, and one is given', null, 'any'],
    ['wants a token, and it is given', 'secret', 'secret'],
  ])('that %s: the connection is open', async (_, wanted, given) => {
    const socket = await connectTo(await coordinator(wanted), given);
    expect(socket?.readyState).toBe(socket?.OPEN);
  });

  test('that wants a token, and none is given', async () => {
    await expect(connectTo(await coordinator('secret'), null)).rejects.toEqual(
      dtrainError('REFUSED', 'wants a token', '--token'),
    );
  });

  test('that wants another token', async () => {
    const refused = connectTo(await coordinator('secret'), 'guessed');
    await expect(refused).rejects.toEqual(dtrainError('REFUSED', 'does not know', '--token'));
    await expect(refused).rejects.not.toThrow(/guessed|secret/);
  });

  test('that has all the workers it takes', async () => {
    const port = await webServer((_, response) => response.writeHead(503).end());
    await expect(connectTo(port, null)).rejects.toEqual(dtrainError('REFUSED', 'all the workers'));
  });
});

describe('trying again would not help with', () => {
  test('a host that there is not', async () => {
    const url = parseCoordinatorUrl('ws://no..host:7070');
    const failure = connect(url, null, stay);
    await expect(failure).rejects.toEqual(dtrainError('HOST_UNKNOWN', 'no..host'));
    await expect(failure).rejects.toMatchObject({ cause: { code: 'ENOTFOUND' } });
  });

  test.each([200, 301, 404, 500])('a web server that answers %i', async (status) => {
    const port = await webServer((_, response) =>
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('hello'),
    );
    await expect(connectTo(port, 'secret')).rejects.toEqual(
      dtrainError('REFUSED', 'no dtrain coordinator', String(status), `127.0.0.1:${port}`),
    );
  });
});

describe('trying again may help with', () => {
  test('a port that nobody listens on', async () => {
    expect(await connectTo(await unusedPort(), null)).toBeUndefined();
  });

  test('a connection that is cut before it is open', async () => {
    const port = await bareServer((socket) => socket.destroy());
    expect(await connectTo(port, null)).toBeUndefined();
  });
});
