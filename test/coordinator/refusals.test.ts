import { describe, expect, test } from 'vitest';
import { encodeFrame } from '../../src/protocol/frame.js';
import { limits, pieceBytes, PROTOCOL_VERSION } from '../../src/protocol/protocol.js';
import { model } from '../threads/problem.js';
import { Client } from './client.js';
import { expectRefused, expectRightWeights } from './expectations.js';
import { startRun } from './run.js';

describe('is refused, and told why:', () => {
  test('a worker of another version', async () => {
    const run = await startRun();
    const client = await Client.connect(run.port);
    client.say({
      type: 'hello',
      protocol: PROTOCOL_VERSION + 1,
      name: 'new',
      threads: 1,
      engine: 'auto',
    });
    const versions = `${PROTOCOL_VERSION} .*${PROTOCOL_VERSION + 1}.*same version`;
    await expectRefused(client, new RegExp(versions));
    expect(run.notices).toEqual([expect.stringMatching(/^A worker was refused: .*\.$/)]);
    expect(run.events).toEqual([]);
  });

  test.each([
    ['tfjs-node', 'exact', 'auto, native or wasm'],
    ['wasm', 'approximate', 'auto, tfjs-node or tfjs'],
    ['native', 'approximate', 'auto, tfjs-node or tfjs'],
  ] as const)('a worker with %s in a run that is %s', async (engine, arithmetic, others) => {
    const run = await startRun({ arithmetic });
    const client = await Client.connect(run.port);
    client.hello('other', 1, engine);
    const words = `its engine ${engine} is .*, and all engines of this run are ${arithmetic}; start it with --engine ${others}`;
    await expectRefused(client, new RegExp(words));
    expect(run.notices).toEqual([expect.stringMatching(/^A worker was refused: .*\.$/)]);
  });

  test('a worker whose price is in a currency that the run does not convert', async () => {
    const run = await startRun({ config: { currency: 'USD' } });
    const client = await Client.connect(run.port);
    const price = { perHour: '0.1', currency: 'EUR', minimumSeconds: 0, perGigabyte: '0' };
    client.say({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      name: 'new',
      threads: 1,
      engine: 'auto',
      price,
    });
    await expectRefused(client, /price is in EUR.*run is in USD.*--rate EUR=/);
    expect(run.notices).toEqual([expect.stringMatching(/^A worker was refused: .*\.$/)]);
  });

  const first: [string, (client: Client) => void, RegExp][] = [
    [
      'text',
      ({ socket }) => {
        socket.send('hello');
      },
      /text/,
    ],
    [
      'an empty message',
      ({ socket }) => {
        socket.send(Buffer.alloc(0));
      },
      /could not be read/,
    ],
    [
      'noise',
      ({ socket }) => {
        socket.send(Buffer.alloc(64, 0xc1));
      },
      /could not be read/,
    ],
    [
      'a first message of 5 KB',
      ({ socket }) => {
        socket.send(Buffer.alloc(5_000));
      },
      /too long/,
    ],
    ['a hello that drags bytes along', longHello, /too long/],
    ['a message of the other side', sayWork, /could not be read/],
    [
      'readiness before a hello',
      (client) => {
        client.say({ type: 'ready' });
      },
      /out of turn/,
    ],
    [
      'pieces before a hello',
      (client) => {
        client.say(anyPieces);
      },
      /before it was ready/,
    ],
  ];
  test.each(first)('%s', async (_, act, reason) => {
    const run = await startRun();
    const client = await Client.connect(run.port);
    act(client);
    await expectRefused(client, reason);
    expect(run.notices).toEqual([expect.stringMatching(/^A worker was refused: .*[^.]\.$/)]);
    expect(run.events).toEqual([]);
    await expectRightWeights(run);
  });

  const second: [string, (client: Client) => void, RegExp][] = [
    [
      'a second hello',
      (client) => {
        client.hello();
      },
      /introduced itself twice/,
    ],
    [
      'pieces before it is ready',
      (client) => {
        client.say(anyPieces);
      },
      /before it was ready/,
    ],
    [
      'text',
      ({ socket }) => {
        socket.send('ready');
      },
      /text/,
    ],
  ];
  test.each(second)('after its hello, %s', async (_, act, reason) => {
    const run = await startRun();
    const client = await Client.connect(run.port);
    client.hello();
    await client.next('welcome');
    act(client);
    await expectRefused(client, reason);
    expect(run.notices).toHaveLength(1);
    await expectRightWeights(run);
  });

  const size = pieceBytes(model.parameterCount);
  const member: [string, (client: Client) => void, RegExp][] = [
    [
      'a second readiness',
      (client) => {
        client.say({ type: 'ready' });
      },
      /out of turn/,
    ],
    [
      'a second hello',
      (client) => {
        client.hello();
      },
      /introduced itself twice/,
    ],
    [
      'text',
      ({ socket }) => {
        socket.send('pieces');
      },
      /text/,
    ],
    [
      'noise',
      ({ socket }) => {
        socket.send(Buffer.alloc(64, 0xc1));
      },
      /could not be read/,
    ],
    [
      'no pieces',
      (client) => {
        client.say(anyPieces);
      },
      /wrong size/,
    ],
    [
      'a piece too few',
      (client) => {
        client.pieces(1, 7, 3 * size);
      },
      /wrong size/,
    ],
    [
      'a piece too many',
      (client) => {
        client.pieces(0, 8, 2 * size);
      },
      /wrong size/,
    ],
    [
      'a byte too many',
      (client) => {
        client.pieces(0, 8, size + 1);
      },
      /wrong size/,
    ],
    [
      'an empty range',
      (client) => {
        client.pieces(4, 4, 0);
      },
      /impossible range/,
    ],
    [
      'a range backwards',
      (client) => {
        client.pieces(4, 2, size);
      },
      /impossible range/,
    ],
    [
      'a range beyond the batch',
      (client) => {
        client.pieces(0, 9, size);
      },
      /impossible range/,
    ],
    [
      'a range of 32 bits',
      (client) => {
        client.pieces(0, 2 ** 32 - 1, size);
      },
      /impossible range/,
    ],
  ];
  test.each(member)('in the run, %s', async (_, act, reason) => {
    const run = await startRun();
    const client = await Client.connect(run.port);
    await client.join('bad');
    await client.next('weights');
    await client.next('work');
    act(client);
    await expectRefused(client, reason);
    const left = await run.happened(({ action }) => action === 'left');
    expect(left).toMatchObject({ name: 'bad', workers: 0 });
    expect(left.reason).toMatch(reason);
    await expectRightWeights(run);
  });

  test('a frame that is larger than any answer', async () => {
    const run = await startRun();
    const client = await Client.connect(run.port);
    await client.join('bad');
    client.socket.send(Buffer.alloc(limits.headerBytes + 8 * size));
    expect(await client.closed).toBe(1009);
    await run.happened(({ action }) => action === 'left');
    await expectRightWeights(run);
  });

  test('somebody who never says a word, after a while', async () => {
    const run = await startRun();
    const client = await Client.connect(run.port);
    await expectRefused(client, /introduce itself in time/);
    expect(run.events).toEqual([]);
    await expectRightWeights(run);
  });
});

const anyPieces = { type: 'pieces', step: 0, first: 0, last: 8, micros: 0 } as const;

function longHello(client: Client): void {
  const hello = {
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    name: 'long',
    threads: 1,
    engine: 'auto',
  } as const;
  client.say(hello, new Uint8Array(5_000));
}

function sayWork({ socket }: Client): void {
  socket.send(encodeFrame({ type: 'work', step: 0, first: 0, last: 1 }));
}
