import { NO_AUGMENTATION } from '../../src/augment/augmentation.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { Session, type SessionEnd, type SessionOptions } from '../../dist/worker/session.js';
import type { ChosenEngine } from '../../src/engine/choose.js';
import { encodeFrame } from '../../src/protocol/frame.js';
import {
  type CoordinatorMessage,
  pieceBytes,
  PROTOCOL_VERSION,
} from '../../src/protocol/protocol.js';
import { coveringNodes } from '../../src/reduce/tree.js';
import { computing } from '../coordinator/honest-worker.js';
import { dtrainError } from '../data/helpers.js';
import { model, poolFor, type Problem, problemOf } from '../threads/problem.js';
import { fakeCoordinator, type FakeCoordinator } from './fake-coordinator.js';

interface SessionUnderTest {
  readonly coordinator: FakeCoordinator;
  readonly problem: Problem;
  readonly ended: Promise<SessionEnd>;
  readonly leave: AbortController;
  readonly joined: string[];
}

/** A worker's session with a coordinator that a test plays. */
const engine: ChosenEngine = { name: 'wasm', arithmetic: 'exact' };

async function startSession(other: Partial<SessionOptions> = {}): Promise<SessionUnderTest> {
  const { port, next } = await fakeCoordinator();
  const problem = await problemOf({ samples: 45, batch: 16 });
  const pool = poolFor(problem, 1);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  onTestFinished(() => {
    socket.terminate();
  });
  await new Promise((resolve) => socket.once('open', resolve));
  const leave = new AbortController();
  const joined: string[] = [];
  const plan = { samples: 45, batch: 16 };
  const session = new Session(socket, {
    name: 'test',
    threads: 3,
    engine: 'wasm',
    price: null,
    engineFor: () => Promise.resolve({ pool, plan, parameterCount: model.parameterCount, engine }),
    onJoined: (run) => joined.push(run),
    onStanding: () => undefined,
    signal: leave.signal,
    ...other,
  });
  const ended = session.run();
  // A test may look at it only later.
  ended.catch(() => undefined);
  return { coordinator: await next(), problem, ended, leave, joined };
}

function welcome({ seed, compiled, table }: Problem): CoordinatorMessage {
  return {
    type: 'welcome',
    run: 'a-run',
    arithmetic: 'exact',
    model: model.spec,
    optimizer: 'momentum',
    seed,
    batch: 16,
    validation: 0,
    augment: NO_AUGMENTATION,
    module: { sha256: compiled.sha256, workSize: compiled.program.workSize },
    data: { table: [...table], shards: [{ sha256: '0'.repeat(64), count: 45 }] },
  };
}

async function startWork(): Promise<SessionUnderTest> {
  const session = await startSession();
  const { coordinator, problem } = session;
  await coordinator.next('hello');
  coordinator.say(welcome(problem), problem.compiled.bytes);
  await coordinator.next('ready');
  return session;
}

test('a worker introduces itself first', async () => {
  const { coordinator } = await startSession();
  const { message } = await coordinator.next('hello');
  const hello = {
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    name: 'test',
    threads: 3,
    engine: 'wasm',
  };
  expect(message).toEqual(hello);
});

test('a worker says what it costs, if its user does', async () => {
  const price = { perHour: 120_000n, currency: 'EUR', minimumSeconds: 60, perGigabyte: 0n };
  const { coordinator } = await startSession({ price });
  const { message } = await coordinator.next('hello');
  expect(message).toMatchObject({
    price: { perHour: '0.12', currency: 'EUR', minimumSeconds: 60, perGigabyte: '0.00' },
  });
});

test('a worker gives its engine what the coordinator says, and is ready after that', async () => {
  const given: unknown[] = [];
  let prepared: () => void = () => undefined;
  const problem = await problemOf({});
  const pool = poolFor(problem, 1);
  const { coordinator, joined } = await startSession({
    engineFor: async (description, module) => {
      given.push(description, [...module]);
      await new Promise<void>((resolve) => {
        prepared = resolve;
        coordinator.socket.ping();
      });
      return {
        pool,
        plan: { samples: 45, batch: 16 },
        parameterCount: model.parameterCount,
        engine,
      };
    },
  });
  await coordinator.next('hello');
  const pong = new Promise((resolve) => coordinator.socket.once('pong', resolve));
  coordinator.say(welcome(problem), problem.compiled.bytes);
  await pong;
  expect(joined).toEqual([]);
  prepared();
  await coordinator.next('ready');
  expect(given).toEqual([welcome(problem), [...problem.compiled.bytes]]);
  expect(joined).toEqual(['a-run']);
});

test('answers hold the pieces of the range, computed with the weights that came last', async () => {
  const { coordinator, problem } = await startWork();
  const { weights, piecesOf } = computing(problem);
  for (const [step, first, last] of [
    [0, 0, 2],
    [1, 0, 1],
    [1, 1, 2],
    [2, 0, 2],
  ] as const) {
    weights.forEach((_, index) => (weights[index] = Math.sin(index + step)));
    const bytes = new Uint8Array(weights.slice().buffer);
    coordinator.say({ type: 'weights', step }, bytes);
    coordinator.say({ type: 'work', step, first, last });
    const { message, payload } = await coordinator.next('pieces');
    expect(message).toMatchObject({ type: 'pieces', step, first, last });
    expect(payload).toHaveLength(
      coveringNodes(first, last, 2).length * pieceBytes(model.parameterCount),
    );
    expect(Buffer.compare(payload, await piecesOf(step, first, last))).toBe(0);
  }
});

test('work that comes while a worker works is done afterwards, in order', async () => {
  const { coordinator } = await startWork();
  coordinator.say({ type: 'weights', step: 0 }, new Uint8Array(model.parameterCount * 4));
  for (const first of [0, 1]) coordinator.say({ type: 'work', step: 0, first, last: first + 1 });
  expect((await coordinator.next('pieces')).message.first).toBe(0);
  expect((await coordinator.next('pieces')).message.first).toBe(1);
});

describe('a session ends', () => {
  test.each(['complete', 'stopped', 'failed'] as const)('with the run: %s', async (outcome) => {
    const { coordinator, ended } = await startWork();
    coordinator.say({ type: 'done', outcome });
    expect(await ended).toEqual({ type: 'done', outcome });
    expect(await coordinator.closed).toBe(1000);
  });

  test('with the run, even if the connection is cut behind the last word', async () => {
    const { coordinator, ended } = await startWork();
    coordinator.say({ type: 'done', outcome: 'complete' });
    coordinator.socket.close();
    expect(await ended).toEqual({ type: 'done', outcome: 'complete' });
  });

  test('with the connection, which is lost and may come back', async () => {
    const { coordinator, ended } = await startWork();
    coordinator.socket.terminate();
    expect(await ended).toEqual({ type: 'lost' });
  });

  test('with a word if the worker leaves', async () => {
    const { coordinator, ended, leave } = await startWork();
    leave.abort();
    await coordinator.next('leave');
    expect(await ended).toEqual({ type: 'left' });
    expect(await coordinator.closed).toBe(1000);
  });

  test('with a refusal and its reason', async () => {
    const { coordinator, ended } = await startSession();
    await coordinator.next('hello');
    coordinator.say({ type: 'refused', reason: 'another version' });
    await expect(ended).rejects.toEqual(dtrainError('REFUSED', 'another version'));
  });

  test('with what went wrong in its preparation', async () => {
    const failure = new Error('no memory');
    const { coordinator, ended, problem } = await startSession({
      engineFor: () => Promise.reject(failure),
    });
    await coordinator.next('hello');
    coordinator.say(welcome(problem), problem.compiled.bytes);
    await expect(ended).rejects.toBe(failure);
    expect(await coordinator.closed).toBe(1008);
  });
});

describe('a coordinator that breaks the rules is left:', () => {
  const weights = model.parameterCount * 4;
  const rules: [string, (coordinator: FakeCoordinator) => void][] = [
    [
      'text',
      ({ socket }) => {
        socket.send('work');
      },
    ],
    [
      'noise',
      ({ socket }) => {
        socket.send(Buffer.alloc(64, 0xc1));
      },
    ],
    [
      'an empty message',
      ({ socket }) => {
        socket.send(Buffer.alloc(0));
      },
    ],
    [
      'a message of the other side',
      ({ socket }) => {
        socket.send(encodeFrame({ type: 'ready' }));
      },
    ],
    [
      'too few weights',
      (c) => {
        c.say({ type: 'weights', step: 0 }, new Uint8Array(weights - 4));
      },
    ],
    [
      'too many weights',
      (c) => {
        c.say({ type: 'weights', step: 0 }, new Uint8Array(weights + 4));
      },
    ],
    [
      'an empty range',
      (c) => {
        c.say({ type: 'work', step: 0, first: 1, last: 1 });
      },
    ],
    [
      'a range backwards',
      (c) => {
        c.say({ type: 'work', step: 0, first: 2, last: 1 });
      },
    ],
    [
      'a range beyond the batch',
      (c) => {
        c.say({ type: 'work', step: 0, first: 0, last: 3 });
      },
    ],
  ];
  test.each(rules)('%s', async (_, act) => {
    const { coordinator, ended } = await startWork();
    act(coordinator);
    await expect(ended).rejects.toEqual(dtrainError('PROTOCOL'));
    expect(await coordinator.closed).toBe(1008);
  });

  test.each([
    ['weights', { type: 'weights', step: 0 }],
    ['work', { type: 'work', step: 0, first: 0, last: 1 }],
  ] as const)('%s before it has said what the run is', async (_, message) => {
    const { coordinator, ended } = await startSession();
    await coordinator.next('hello');
    coordinator.say(message);
    await expect(ended).rejects.toEqual(dtrainError('PROTOCOL', 'too early'));
  });
});
