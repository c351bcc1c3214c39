import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { NO_AUGMENTATION } from '../../src/augment/augmentation.js';
import { cutShards } from '../../src/data/shards.js';
import { encodeFrame } from '../../src/protocol/frame.js';
import { contentOf, temporaryFolder } from '../data/helpers.js';
import { model, problemOf } from '../threads/problem.js';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** A coordinator that welcomes a worker and holds its data back until it is told to send it. */
async function slowCoordinator(): Promise<{ port: number; send: Promise<() => void> }> {
  const { training, compiled, table, seed } = await problemOf({});
  const [shard] = cutShards(training);
  if (!shard) throw new Error('There is no shard.');
  let asked: (response: ServerResponse) => void = () => undefined;
  const request = new Promise<ServerResponse>((resolve) => {
    asked = resolve;
  });
  const http = createServer((_, response) => {
    asked(response);
  });
  new WebSocketServer({ server: http }).on('connection', (socket) => {
    const message = {
      type: 'welcome',
      run: 'slow',
      arithmetic: 'exact',
      model: model.spec,
      optimizer: 'momentum',
      seed,
      batch: 16,
      validation: 0,
      augment: NO_AUGMENTATION,
      module: { sha256: compiled.sha256, workSize: compiled.program.workSize },
      data: { table: [...table], shards: [{ sha256: shard.sha256, count: shard.count }] },
    };
    socket.once('message', () => {
      socket.send(encodeFrame(message, compiled.bytes));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    http.close();
    http.closeAllConnections();
  });
  const { port } = http.address() as AddressInfo;
  return { port, send: request.then((response) => () => response.end(contentOf(shard))) };
}

/** Resolves when a process has written `text`. */
function written(child: ChildProcess, text: string): Promise<void> {
  let output = '';
  return new Promise((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes(text)) resolve();
    });
  });
}

test(
  'a worker that leaves while its data comes ends as soon as it has left',
  { timeout: 8_000 },
  async () => {
    const { port, send } = await slowCoordinator();
    const env = { ...process.env, DTRAIN_CACHE_DIR: await temporaryFolder() };
    const args = [MAIN, 'worker', `ws://127.0.0.1:${port}`, '--threads', '1'];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const left = written(child, 'Left the run.');
    const sendData = await send;
    child.kill('SIGINT');
    await left;
    sendData();
    expect(await ended).toBe(0);
  },
);
