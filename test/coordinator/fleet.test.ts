import { describe, expect, test } from 'vitest';
import { pieceBytes } from '../../src/protocol/protocol.js';
import { model } from '../threads/problem.js';
import { Client } from './client.js';
import { expectRightEnd } from './expectations.js';
import { computing, honestWorker } from './honest-worker.js';
import { startRun } from './run.js';

describe('the weights are those of one thread alone', () => {
  test.each([1, 2, 3])('with %i workers', async (count) => {
    const run = await startRun({ workers: count });
    const workers = await Promise.all(
      Array.from({ length: count }, () => honestWorker(run.problem, run.port)),
    );
    const result = await expectRightEnd(run);
    expect(result).toMatchObject({ outcome: 'complete', steps: 6, samples: 282, workers: count });
    for (const worker of workers) {
      expect(await worker.outcome).toBe('complete');
      expect(worker.computed).not.toEqual([]);
    }
  });

  test('with workers beside local threads', async () => {
    const run = await startRun({ workers: 2, localThreads: true });
    const one = await honestWorker(run.problem, run.port, 'one');
    const two = await honestWorker(run.problem, run.port, 'two');
    expect(await expectRightEnd(run)).toMatchObject({ workers: 2 });
    expect(one.computed).not.toEqual([]);
    expect(two.computed).not.toEqual([]);
  });

  test('with a worker that is killed over its first range and comes back', async () => {
    const run = await startRun({ workers: 2 });
    await honestWorker(run.problem, run.port, 'steady');
    const victim = await Client.connect(run.port);
    await victim.join('victim');
    const finished = run.finish();
    await victim.next('weights');
    await victim.next('work');
    victim.socket.terminate();
    await run.happened(({ action }) => action === 'left');
    await expectRightEnd(run, finished);
  });

  test('with local threads alone', async () => {
    const run = await startRun({ workers: 0, localThreads: true });
    expect(await expectRightEnd(run)).toMatchObject({ steps: 6, workers: 0 });
  });
});

describe('a newcomer beside a worker whose speed is known', () => {
  test('is probed, and its answer is neither used nor held against it', async () => {
    const run = await startRun();
    const finished = run.finish();
    const { weights, piecesOf } = computing(run.problem);
    const first = await Client.connect(run.port);
    const answer = async (): Promise<void> => {
      const frame = await first.frame();
      weights.set(new Float32Array(Uint8Array.from(frame?.payload ?? []).buffer));
      const { step, first: from, last } = await first.next('work');
      const pieces = await piecesOf(step, from, last);
      first.say({ type: 'pieces', step, first: from, last, micros: 0 }, pieces);
    };
    await first.join('first');
    await run.happened(({ name }) => name === 'first');
    const newcomer = await Client.connect(run.port);
    await newcomer.join('newcomer');
    await run.happened(({ name }) => name === 'newcomer');

    await answer();
    expect(await newcomer.next('weights')).toMatchObject({ step: 1 });
    expect(await newcomer.next('work')).toMatchObject({ step: 1, first: 0, last: 1 });
    newcomer.pieces(0, 1, pieceBytes(model.parameterCount), 1, 0x3f);
    newcomer.say({ type: 'leave' });
    await run.happened(({ action }) => action === 'left');

    await answer();
    first.say({ type: 'leave' });
    const honest = await honestWorker(run.problem, run.port);
    expect(await expectRightEnd(run, finished)).toMatchObject({ refusedAnswers: 0, workers: 2 });
    expect(await honest.outcome).toBe('complete');
  });
});

describe('a worker that makes no step shorter', () => {
  test('becomes a spare, is told so, and is only probed from then on', async () => {
    const run = await startRun({ localThreads: true, epochs: 1_000_000 });
    const spare = await honestWorker(run.problem, run.port, 'spare');
    const finished = run.finish();
    const { reason } = await run.happened(({ action }) => action === 'spare');
    expect(reason).toMatch(/^a step would take [\d.]+ ms with it and [\d.]+ ms without it$/);
    expect(run.training.workers).toBe(1);
    run.training.stop();
    expect(await finished).toMatchObject({ outcome: 'stopped' });
    expect(await spare.outcome).toBe('stopped');
    expect(spare.standings).toEqual([true]);
    expect(spare.computed.at(-1)).toMatchObject({ first: 0, last: 1 });
  });
});

describe('checkpoints', () => {
  test('come after each epoch', async () => {
    const run = await startRun();
    await honestWorker(run.problem, run.port);
    await expectRightEnd(run);
    expect(run.saves).toEqual([3, 6]);
  });

  test('come when they are asked for, also before the first step', async () => {
    const run = await startRun();
    run.training.save();
    expect(run.saves).toEqual([0]);
  });

  test('come with the stop', async () => {
    const run = await startRun();
    const finished = run.finish();
    run.training.stop();
    expect(await finished).toMatchObject({ outcome: 'stopped', steps: 0 });
    expect(run.saves).toEqual([0]);
  });
});

describe('the end', () => {
  test('is there at once if all steps were taken before, with nobody to compute', async () => {
    const run = await startRun({ firstStep: 6 });
    const result = await run.finish();
    expect(result).toMatchObject({ outcome: 'complete', steps: 6, workers: 0 });
    expect(result.test.loss).toBeGreaterThan(0);
  });

  test.each(['complete', 'stopped', 'failed'] as const)(
    'is told to all workers: %s',
    async (how) => {
      const run = await startRun({ workers: 3 });
      const [one, two] = [await Client.connect(run.port), await Client.connect(run.port)];
      await one.join('one');
      await two.join('two');
      await run.happened(({ workers }) => workers === 2);
      await run.fleet.close(how);
      for (const client of [one, two]) {
        expect(await client.next('done')).toEqual({ type: 'done', outcome: how });
        expect(await client.closed).toBe(1000);
      }
    },
  );

  test('is not reported as a worker that left', async () => {
    const run = await startRun({ workers: 2 });
    const client = await Client.connect(run.port);
    await client.join();
    await run.happened(() => true);
    await run.fleet.close('stopped');
    await client.closed;
    expect(run.events.map(({ action }) => action)).toEqual(['joined']);
  });

  test('comes with the step when it is asked for, also if the last worker leaves', async () => {
    const run = await startRun();
    const client = await Client.connect(run.port);
    await client.join();
    await client.next('weights');
    await client.next('work');
    const finished = run.finish();
    run.training.stop();
    client.say({ type: 'leave' });
    expect(await finished).toMatchObject({ outcome: 'stopped', steps: 0 });
  }, 5_000);
});
