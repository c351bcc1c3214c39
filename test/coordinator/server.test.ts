import { describe, expect, test } from 'vitest';
import { dtrainError, sumOf } from '../data/helpers.js';
import { everythingFrom, openSocket, rawRequest, upgrade } from './http.js';
import { fate, listen, name, right, shard, socketTo, TOKEN } from './server-under-test.js';

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
