import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { CoordinatorServer, type ServerOptions } from '../../coordinator/server.js';
import { limits } from '../../src/protocol/protocol.js';
import { dtrainError, noise, sumOf } from '../data/helpers.js';
import { everythingFrom, openSocket, rawRequest, upgrade } from './http.js';

const shard = noise(100_000);
const name = sumOf(shard);
const TOKEN = 'the right token';
const right = { authorization: `Bearer ${TOKEN}` };

async function listen(options: Partial<ServerOptions> = {}): Promise<CoordinatorServer> {
  const server = await CoordinatorServer.listen({
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    largestFrame: 10_000,
    shards: new Map([[name, shard]]),
    onConnection: () => undefined,
    ...options,
  });
  onTestFinished(() => server.close());
  return server;
}

function socketTo(server: CoordinatorServer, headers: Record<string, string> = right): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, { headers });
  onTestFinished(() => {
    socket.terminate();
  });
  return socket;
}

/** How a WebSocket fares: 'open', or the status with which it was refused. */
function fate(socket: WebSocket): Promise<'open' | number | undefined> {
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

const wrongTokens: [string, Record<string, string>][] = [
  ['no token', {}],
  ['another token', { authorization: 'Bearer the wrong token' }],
  ['the beginning of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
  ['the token and more', { authorization: `Bearer ${TOKEN}x` }],
  ['an empty token', { authorization: 'Bearer ' }],
  ['another scheme', { authorization: `Basic ${TOKEN}` }],
  ['the token alone', { authorization: TOKEN }],
  ['the token where it does not belong', { cookie: `token=${TOKEN}` }],
];

describe('without the right token', () => {
  test.each(wrongTokens)('nobody joins: %s', async (_, headers) => {
    expect(await fate(socketTo(await listen(), headers))).toBe(401);
  });

  test.each(wrongTokens)('nobody gets data: %s', async (_, headers) => {
    const { port } = await listen();
    const answer = await rawRequest(port, `/shards/${name}`, headers);
    expect(answer.status).toBe(401);
    expect(answer.body.length).toBeLessThan(100);
  });

  test('nobody learns which paths there are', async () => {
    const { port } = await listen();
    for (const path of ['/', '/metrics', '/shards/', `/shards/${'0'.repeat(64)}`]) {
      expect((await rawRequest(port, path)).status, path).toBe(401);
    }
  });
});

describe('with the right token', () => {
  test('a worker is let in', async () => {
    expect(await fate(socketTo(await listen()))).toBe('open');
  });

  test('a shard comes by its hash, byte for byte', async () => {
    const { port } = await listen();
    const response = await fetch(`http://127.0.0.1:${port}/shards/${name}`, { headers: right });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(shard.length));
    expect(sumOf(await response.bytes())).toBe(name);
  });

  test.each([
    '/',
    '/ws',
    '/shards',
    '/shards/',
    `/shards/${'0'.repeat(64)}`,
    `/shards/${name.toUpperCase()}`,
    `/shards/${name}/`,
    `/shards/${name}%00`,
    `/shards//${name}`,
    `/shard/${name}`,
    '/shards/../../../../etc/passwd',
    '/shards/..%2f..%2f..%2fetc%2fpasswd',
    '/shards/%2e%2e/%2e%2e/etc/passwd',
    '/shards/..\\..\\etc\\passwd',
    '/shards//etc/passwd',
    '/shards/__proto__',
    '/shards/constructor',
  ])('there is nothing at %s', async (path) => {
    const { port } = await listen();
    expect((await rawRequest(port, path, right)).status).toBe(404);
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])('a shard cannot be sent: %s', async (method) => {
    const { port } = await listen();
    const answer = await rawRequest(port, `/shards/${name}`, right, method);
    expect(answer.status).toBe(404);
  });

  test('no other path takes workers', async () => {
    const { port } = await listen();
    for (const path of ['/', '/wss', '/ws/', '/shards/ws', '/healthz']) {
      const { status } = await rawRequest(port, path, { ...right, ...upgrade });
      expect(status, path).toBe(404);
    }
  });
});

test('without a token of its own it takes anybody', async () => {
  const server = await listen({ token: null });
  expect(await fate(socketTo(server, {}))).toBe('open');
  expect((await rawRequest(server.port, `/shards/${name}`)).status).toBe(200);
});

// A browser lets any page open a WebSocket to any address, this machine's own included.
test('without a token, the pages of other sites are not let in', async () => {
  const server = await listen({ token: null });
  expect(await fate(socketTo(server, { origin: 'https://elsewhere.example' }))).toBe(403);
});

test('says that it is well, to anybody', async () => {
  const { port } = await listen();
  expect(await rawRequest(port, '/healthz')).toMatchObject({ status: 200, body: 'ok\n' });
});

describe('a request that makes no sense is answered, and does no harm:', () => {
  const targets = [
    '//',
    '///',
    '//[',
    'http://[',
    'http://',
    '/%',
    '/\\',
    '*',
    '/?',
    '/healthz?x=//',
  ];

  test.each(targets)('%s', { timeout: 5_000 }, async (target) => {
    const { port } = await listen();
    const { status } = await rawRequest(port, target);
    expect(status).toBeGreaterThanOrEqual(200);
    expect((await rawRequest(port, '/healthz')).status).toBe(200);
  });

  test.each(targets)('%s, as a WebSocket', { timeout: 5_000 }, async (target) => {
    const { port } = await listen();
    const { status } = await rawRequest(port, target, { ...upgrade, ...right });
    expect(status).toBeGreaterThanOrEqual(400);
    expect((await rawRequest(port, '/healthz')).status).toBe(200);
  });

  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
    ['a header without an end', `GET / HTTP/1.1\r\nx: ${'x'.repeat(100_000)}`],
    ['a TLS handshake', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
  ])('%s', { timeout: 5_000 }, async (_, bytes) => {
    const { port } = await listen();
    const socket = await openSocket(port);
    socket.write(bytes, 'latin1');
    expect(await everythingFrom(socket)).toMatch(/^HTTP\/1.1 4/);
    expect((await rawRequest(port, '/healthz')).status).toBe(200);
  });

  test('a WebSocket without a key', async () => {
    const { port } = await listen();
    const headers = { ...right, ...upgrade, 'sec-websocket-key': 'short' };
    expect((await rawRequest(port, '/ws', headers)).status).toBe(400);
  });
});

describe('where it cannot listen', () => {
  test('it says that the port is in use', async () => {
    const { port } = await listen();
    await expect(listen({ port })).rejects.toEqual(
      dtrainError('PORT_IN_USE', String(port), '127.0.0.1', '--port'),
    );
  });

  test.each(['no..host', '203.0.113.1'])('it says that %s is no address here', async (host) => {
    await expect(listen({ host })).rejects.toEqual(dtrainError('HOST_UNKNOWN', host, '--host'));
  });

  test('the cause is kept', async () => {
    const { port } = await listen();
    await expect(listen({ port })).rejects.toMatchObject({ cause: { code: 'EADDRINUSE' } });
  });
});

test('a frame that is larger than any worker has to send ends its connection', async () => {
  const socket = socketTo(await listen({ onConnection: (s) => s.on('error', () => undefined) }));
  expect(await fate(socket)).toBe('open');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.send(Buffer.alloc(10_001));
  expect(await closed).toBe(1009);
});

describe('a frame in fragments', () => {
  /** Sends one, and gives its length when it has arrived, or the code that ends the connection. */
  async function send(fragments: number): Promise<string> {
    const arrived = new Promise<string>((resolve) => {
      void listen({
        onConnection: (socket) => {
          socket.on('error', () => undefined);
          socket.once('message', (data: Buffer) => {
            resolve(`${data.length} bytes`);
          });
        },
      }).then(async (server) => {
        const socket = socketTo(server);
        socket.once('close', (code) => {
          resolve(`closed: ${code}`);
        });
        await fate(socket);
        for (let sent = 1; sent <= fragments; sent++) {
          socket.send(Buffer.alloc(1), { fin: sent === fragments });
        }
      });
    });
    return arrived;
  }

  test('is taken if they are not too many', async () => {
    expect(await send(limits.fragments)).toBe(`${limits.fragments} bytes`);
  });

  test('ends its connection if they are', async () => {
    expect(await send(limits.fragments + 1)).toBe('closed: 1008');
  });
});

describe('a connection that asks for nothing', { timeout: 3 * limits.handshakeMs }, () => {
  test.each([
    ['says nothing', ''],
    ['stops in the middle of a request', 'GET /healthz HTTP/1.1\r\nhost: x\r\n'],
    ['stops in the middle of its upgrade', 'GET /ws HTTP/1.1\r\nupgrade: websocket\r\n'],
  ])('is closed: one that %s', async (_, bytes) => {
    const { port } = await listen();
    const socket = await openSocket(port);
    socket.write(bytes);
    expect(await everythingFrom(socket)).toMatch(/^HTTP\/1.1 408 /);
  });
});

test('messages are not compressed: a small one cannot become a large one', async () => {
  const socket = socketTo(await listen());
  expect(await fate(socket)).toBe('open');
  expect(socket.extensions).toBe('');
});

describe('closing', { timeout: 8_000 }, () => {
  test('frees the port and refuses newcomers', async () => {
    const server = await listen();
    const { port } = server;
    await server.close();
    await (await listen({ port })).close();
  });

  test('ends the connections of workers in order', async () => {
    const server = await listen();
    const socket = socketTo(server);
    expect(await fate(socket)).toBe('open');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await server.close();
    expect(await closed).toBe(1000);
  });

  test('does not wait for a worker that does not answer', async () => {
    const server = await listen();
    const socket = await openSocket(server.port);
    const lines = Object.entries({ host: 'x', ...right, ...upgrade });
    const head = lines.map(([key, value]) => `${key}: ${value}\r\n`).join('');
    socket.write(`GET /ws HTTP/1.1\r\n${head}\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    await server.close();
  });

  test('does not wait for somebody who was refused and stays on the line', async () => {
    const server = await listen();
    const socket = await openSocket(server.port);
    const head = Object.entries({ host: 'x', ...upgrade }).map(
      ([key, value]) => `${key}: ${value}\r\n`,
    );
    socket.write(`GET /ws HTTP/1.1\r\n${head.join('')}\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    await server.close();
  });

  test('does not wait for somebody who says nothing', async () => {
    const server = await listen();
    await openSocket(server.port);
    await server.close();
  });

  test('does not wait for somebody who does not read the data', async () => {
    const huge = noise(50_000_000);
    const server = await listen({ shards: new Map([[name, huge]]) });
    const socket = await openSocket(server.port);
    socket.pause();
    socket.write(
      `GET /shards/${name} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`,
    );
    // The answer has begun, and will not fit in what the system buffers.
    await new Promise((resolve) => socket.once('readable', resolve));
    await server.close();
  });
});
