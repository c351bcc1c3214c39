import { describe, expect, test } from 'vitest';
import { limits } from '../../src/protocol/protocol.js';
import { noise } from '../data/helpers.js';
import { everythingFrom, openSocket, upgrade } from './http.js';
import { fate, listen, name, right, shardOf, socketTo, TOKEN } from './server-under-test.js';

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

test(
  'a connection that never gets to the end of a request is closed',
  { timeout: 3 * limits.handshakeMs },
  async () => {
    const { port } = await listen();
    const beginnings = [
      '',
      'GET /healthz HTTP/1.1\r\nhost: x\r\n',
      'GET /ws HTTP/1.1\r\nupgrade: websocket\r\n',
    ];
    const answers = beginnings.map(async (beginning) => {
      const socket = await openSocket(port);
      socket.write(beginning);
      return everythingFrom(socket);
    });
    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1.1 408 /);
  },
);

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
    const server = await listen({ shards: new Map([[name, shardOf(huge)]]) });
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
