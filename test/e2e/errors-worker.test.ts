import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect } from 'vitest';
import { expectError } from './support/expectations.js';
import { FakeCoordinator } from './support/peers.js';
import { test } from './support/place.js';
import { listening } from './support/ports.js';
import { tinyRun } from './support/tiny-run.js';

describe.concurrent('dtrain worker', () => {
  test('a host that does not resolve', async ({ place }) => {
    // Where there is no name server at all, this is not known to be final.
    const ended = await place.run(['worker', 'ws://nosuch.invalid:1', '--patience', '1s']);
    expectError(ended, 1, /(no host named |no coordinator at ws:\/\/)nosuch\.invalid/);
  });

  test('no token, a wrong one, and the right one from a file', async ({ place }) => {
    const { running, url } = await place.coordinator([
      '--steps',
      '10',
      '--threads',
      '0',
      '--token',
      'right',
    ]);
    expectError(await place.worker(url).ended, 1, /wants a token.*--token/);
    const wrong = place.worker(url, ['--token', 'wrong']);
    expectError(await wrong.ended, 1, /does not know this token.*--token/);
    await writeFile(place.at('token'), 'right\n');
    const right = place.worker(url, ['--token-file', 'token']);
    expect((await right.ended).code).toBe(0);
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    expect(stdout.match(/"joined"/g)).toHaveLength(1);
  });

  test('a coordinator of another protocol version', async ({ place }) => {
    const fake = await FakeCoordinator.listen();
    const worker = place.worker(fake.url);
    expect((await fake.next()).message.type).toBe('hello');
    fake.say({ type: 'refused', reason: 'this coordinator speaks protocol version 999' });
    expectError(await worker.ended, 1, /refused this worker: .*version 999/);
    await fake.close();
  });

  test('a server that is no coordinator', async ({ place }) => {
    const server = createHttpServer((_, response) => {
      response.writeHead(404).end();
    });
    const port = await listening(server);
    const ended = await place.worker(`ws://127.0.0.1:${port}`).ended;
    expectError(ended, 1, /no dtrain coordinator.*404/);
    server.close();
  });

  test('a server that never answers: its patience ends', async ({ place }) => {
    const server = createServer();
    const port = await listening(server);
    const worker = place.worker(`ws://127.0.0.1:${port}`, ['--patience', '2s']);
    expectError(await worker.ended, 1, /no coordinator at ws:.*--patience/);
    server.close();
  });

  test('a server that never answers: SIGINT ends it in order', async ({ place }) => {
    const server = createServer();
    const port = await listening(server);
    const worker = place.worker(`ws://127.0.0.1:${port}`);
    await once(server, 'connection');
    worker.signal('SIGINT');
    expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
    server.close();
  });

  test('a coordinator whose data cannot be fetched: its patience ends', async ({ place }) => {
    const fake = await FakeCoordinator.listen((_, response) => response.destroy());
    const worker = place.worker(fake.url, ['--patience', '2s']);
    const { welcome, module } = await tinyRun(8);
    const serve = async (): Promise<never> => {
      for (;;) {
        await fake.next();
        fake.say(welcome, module);
      }
    };
    void serve();
    const ended = await worker.ended;
    expectError(ended, 1, /coordinator/);
    expect(ended.stdout.match(/^The connection .* was lost/gm)?.length).toBeLessThan(4);
    await fake.close();
  });

  test('SIGINT while its data comes ends it', async ({ place }) => {
    const { welcome, module, shard } = await tinyRun(8);
    let held: ServerResponse | undefined;
    const fake = await FakeCoordinator.listen((_, response) => {
      held = response;
      worker.signal('SIGINT');
    });
    const worker = place.worker(fake.url);
    await fake.next();
    fake.say(welcome, module);
    await worker.line(/^Leaving the run/);
    held?.end(shard);
    expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
    await fake.close();
  });

  test('a coordinator that talks nonsense', async ({ place }) => {
    const fake = await FakeCoordinator.listen();
    const worker = place.worker(fake.url);
    await fake.next();
    fake.say({ type: 'work', step: 0, first: 0, last: 1 });
    expectError(await worker.ended, 1, /too early/);
    await fake.close();
  });
});
