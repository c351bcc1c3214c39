import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { describe, expect } from 'vitest';
import { WebSocket } from 'ws';
import { expectError, expectNoTrace } from './support/expectations.js';
import { sayToCoordinator } from './support/peers.js';
import { test } from './support/place.js';
import { listening } from './support/ports.js';

const SHORT = ['--steps', '10', '--threads', '0'];

describe.concurrent('dtrain coordinator', () => {
  test('a port in use', async ({ place }) => {
    const server = createServer();
    const port = await listening(server);
    const ended = await place.run(['coordinator', '--port', port, ...SHORT]);
    expectError(ended, 1, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use.*--port`));
    server.close();
  });

  test('another coordinator on its port: the first goes on', async ({ place }) => {
    const { running, url } = await place.coordinator([...SHORT, '--out', 'first']);
    const port = new URL(url).port;
    const args = ['coordinator', '--port', port, ...SHORT, '--out', 'second'];
    expectError(await place.run(args), 1, new RegExp(`Port ${port} .* in use.*--port`));
    expect(existsSync(place.at('second')), 'it never began').toBe(false);
    expect((await place.worker(url).ended).code).toBe(0);
    expect(await running.event('result')).toMatchObject({ outcome: 'complete', workers: 1 });
  });

  test('a resumed one whose port is taken: it can be resumed elsewhere', async ({ place }) => {
    const { running, url } = await place.coordinator([...SHORT, '--out', 'run']);
    running.signal('SIGTERM');
    expect((await running.ended).code).toBe(0);
    const server = createServer().listen(Number(new URL(url).port), '127.0.0.1');
    await once(server, 'listening');
    const ended = await place.run(['coordinator', '--resume', 'run']);
    expectError(ended, 1, /Port \d+ .* in use.*--port/);
    const elsewhere = await place.resumed(['--port', '0']);
    expect((await place.worker(elsewhere.url).ended).code).toBe(0);
    expect((await elsewhere.running.ended).code).toBe(0);
    server.close();
  });

  test('a host that does not resolve', async ({ place }) => {
    const ended = await place.run(['coordinator', '--host', 'nosuch.invalid', ...SHORT]);
    expectError(ended, 1, /nosuch\.invalid .*--host/);
  });

  test('an address of another machine', async ({ place }) => {
    // From a block that is kept for documentation.
    const ended = await place.run(['coordinator', '--host', '198.51.100.7', ...SHORT]);
    expectError(ended, 1, /198\.51\.100\.7 .*--host/);
  });

  test('a worker of another protocol version is refused; the run goes on', async ({ place }) => {
    const { running, url } = await place.coordinator(SHORT);
    const hello = { type: 'hello', protocol: 999, name: 'newer', threads: 1 };
    const { message, code } = await sayToCoordinator(url, hello);
    expect(message).toMatchObject({ type: 'refused' });
    expect(JSON.stringify(message)).toMatch(/version \d+ .*999/);
    expect(code).toBe(1008);
    await running.line(/refused.*version \d+ .*999/, 'stderr');
    place.worker(url);
    expect((await running.ended).code).toBe(0);
  });

  test('a stranger that talks nonsense is refused; the run goes on', async ({ place }) => {
    const { running, url } = await place.coordinator(SHORT);
    const { message } = await sayToCoordinator(url, { type: 'pieces', step: 'none' });
    expect(message.type).toBe('refused');
    place.worker(url);
    const { code, stderr } = await running.ended;
    expect(code).toBe(0);
    expectNoTrace(stderr);
  });

  /** What arrives from scanners and from hands that type; the server's port is open to all. */
  const requests: readonly [title: string, bytes: string][] = [
    ['a path of slashes', 'GET // HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a path that is no URL', 'GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n'],
    [
      'an upgrade on a path of slashes',
      'GET // HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    [
      'an upgrade without a key',
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    ['a shard that is not there', 'GET /shards/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'],
  ];
  test.for(requests)(
    '%s is answered with an error; the run goes on',
    async ([, bytes], { place }) => {
      const { running, url } = await place.coordinator(SHORT);
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
        socket.end();
      });
      socket.write(bytes);
      await once(socket, 'close');
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      place.worker(url);
      const { code, stderr } = await running.ended;
      expect(code, stderr).toBe(0);
      expectNoTrace(stderr);
    },
  );

  test('text where a frame should be is refused; the run goes on', async ({ place }) => {
    const { running, url } = await place.coordinator(SHORT);
    const socket = new WebSocket(`${url}/ws`);
    await once(socket, 'open');
    socket.send('hello');
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1008);
    place.worker(url);
    expect((await running.ended).code).toBe(0);
  });
});
