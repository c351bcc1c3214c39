import { describe, expect, test } from 'vitest';
import { NO_AUGMENTATION } from '../../src/augment/augmentation.js';
import { encodeFrame } from '../../src/protocol/frame.js';
import { sumOf } from '../data/helpers.js';
import { model } from '../threads/problem.js';
import { Client } from './client.js';
import { expectRightWeights } from './expectations.js';
import { startRun } from './run.js';

describe('a worker', () => {
  test('is told all about the run when it introduces itself', async () => {
    const { port, problem } = await startRun();
    const client = await Client.connect(port);
    client.hello();
    const frame = await client.frame();
    expect(frame?.message).toMatchObject({
      type: 'welcome',
      run: 'run-under-test',
      arithmetic: 'exact',
      model: model.spec,
      optimizer: 'momentum',
      seed: problem.seed,
      batch: 64,
      validation: 0,
      augment: NO_AUGMENTATION,
      module: { workSize: problem.compiled.program.workSize },
    });
    if (frame?.message.type !== 'welcome') return;
    expect(frame.message.module.sha256).toBe(sumOf(frame.payload));
    expect(frame.message.data.table).toEqual([...problem.table]);
    expect(frame.message.data.shards.map(({ count }) => count)).toEqual([141]);
  });

  test('counts once it is ready, by its name and its threads', async () => {
    const run = await startRun({ workers: 2 });
    const client = await Client.connect(run.port);
    client.hello('alpha', 3);
    await client.next('welcome');
    expect(run.events).toEqual([]);
    expect(run.training.workers).toBe(0);
    client.say({ type: 'ready' });
    expect(await run.happened(() => true)).toEqual({
      event: 'worker',
      action: 'joined',
      name: 'alpha',
      threads: 3,
      workers: 1,
    });
  });

  test('that leaves is reported, and the run goes on without it', async () => {
    const run = await startRun();
    const client = await Client.connect(run.port);
    await client.join('alpha');
    await client.next('weights');
    await client.next('work');
    client.say({ type: 'leave' });
    const left = await run.happened(({ action }) => action === 'left');
    expect(left).toMatchObject({ name: 'alpha', workers: 0, reason: 'it left' });
    expect(await client.closed).toBe(1000);
    await expectRightWeights(run);
  });

  test('that is killed is reported, and the run goes on without it', async () => {
    const run = await startRun();
    const client = await Client.connect(run.port);
    await client.join('alpha');
    await client.next('weights');
    await client.next('work');
    client.socket.terminate();
    const left = await run.happened(({ action }) => action === 'left');
    expect(left).toMatchObject({ name: 'alpha', reason: 'its connection was lost' });
    await expectRightWeights(run);
  });
});

test('one that goes before it says a word leaves no trace', async () => {
  const run = await startRun();
  const client = await Client.connect(run.port);
  client.socket.terminate();
  await client.closed;
  await expectRightWeights(run);
  expect(run.events.map(({ name }) => name)).not.toContain('');
  expect(run.notices).toEqual([]);
});

test('what the coordinator says of a stranger is one short line of plain text', async () => {
  const run = await startRun();
  for (const key of ['\u001b[2J\n\u0007', 'x'.repeat(200_000)]) {
    const client = await Client.connect(run.port);
    client.hello();
    await client.next('welcome');
    client.socket.send(encodeFrame({ type: 'ready', [key]: 1 }));
    await client.closed;
  }
  expect(run.notices).toHaveLength(2);
  for (const notice of run.notices) expect(notice).toMatch(/^[\x20-\x7e]{1,400}$/);
});
