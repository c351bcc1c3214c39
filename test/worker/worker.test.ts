import { describe, expect, test } from 'vitest';
import type { WorkerConfig } from '../../src/config/types.js';
import { NO_PRICES } from '../../src/cost/pricing.js';
import { runWorker } from '../../worker/worker.js';
import { dtrainError } from '../data/helpers.js';
import { bareServer, unusedPort, webServer } from './servers.js';

const CONFIG: WorkerConfig = {
  ...NO_PRICES,
  threads: 1,
  name: 'test',
  engine: 'wasm',
  token: null,
  patience: 0,
  quiet: true,
  verbose: false,
};

function start(
  port: number,
  patience: number,
  onNotice: (sentence: string) => void = () => undefined,
) {
  const leave = new AbortController();
  const { signal } = leave;
  const ended = runWorker(`127.0.0.1:${port}`, { ...CONFIG, patience }, { onNotice, signal });
  return { leave, ended };
}

test('an address that is none is a usage error', async () => {
  const listeners = { onNotice: () => undefined, signal: new AbortController().signal };
  await expect(runWorker('ftp://box', CONFIG, listeners)).rejects.toEqual(
    dtrainError('USAGE', 'ftp://box'),
  );
});

describe('while there is no coordinator', () => {
  test('the worker gives up when its patience is over', async () => {
    const port = await unusedPort();
    await expect(start(port, 0).ended).rejects.toEqual(
      dtrainError('COORDINATOR_GONE', `127.0.0.1:${port}`, '--patience'),
    );
  });

  test('it says once that it waits, and tries again', { timeout: 20_000 }, async () => {
    let connections = 0;
    const port = await bareServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    const notices: string[] = [];
    await expect(start(port, 1, (sentence) => notices.push(sentence)).ended).rejects.toEqual(
      dtrainError('COORDINATOR_GONE'),
    );
    expect(connections).toBeGreaterThan(1);
    expect(notices).toEqual([`Waiting for a coordinator at ws://127.0.0.1:${port}.`]);
  });

  test('it can leave at any time', async () => {
    const { leave, ended } = start(await unusedPort(), 1000, () => {
      leave.abort();
    });
    expect(await ended).toBe('left');
  });

  test('it does not even begin if it was to leave before', async () => {
    const { leave, ended } = start(await unusedPort(), 1000);
    leave.abort();
    expect(await ended).toBe('left');
  });
});

describe('while something accepts connections and says nothing', { timeout: 8_000 }, () => {
  test('the worker can leave', async () => {
    let connected: () => void = () => undefined;
    const connection = new Promise<void>((resolve) => {
      connected = resolve;
    });
    const port = await bareServer(() => {
      connected();
    });
    const { leave, ended } = start(port, 1000);
    await connection;
    leave.abort();
    expect(await ended).toBe('left');
  });

  test('it gives up when its patience is over', async () => {
    const port = await bareServer(() => undefined);
    await expect(start(port, 1).ended).rejects.toEqual(dtrainError('COORDINATOR_GONE'));
  });
});

test('what is no coordinator is not tried again', async () => {
  let requests = 0;
  const port = await webServer((_, response) => {
    requests += 1;
    response.writeHead(404).end();
  });
  await expect(start(port, 1000).ended).rejects.toEqual(dtrainError('REFUSED', '404'));
  expect(requests).toBe(1);
});
