import { describe, expect, test } from 'vitest';
import { bits } from '../reduce/fake-sums.js';
import { plainTraining } from '../threads/plain-training.js';
import { Client } from './client.js';
import { honestWorker } from './honest-worker.js';
import { type RunUnderTest, startRun } from './run.js';

async function expectRightWeights(run: RunUnderTest): Promise<void> {
  const expected = await plainTraining(run.problem, run.totalSteps);
  expect(bits(run.pool.weights)).toEqual(bits(expected.weights));
}

describe('the weights are those of one thread alone', () => {
  test.each([1, 2, 3])('with %i workers', async (count) => {
    const run = await startRun({ workers: count });
    const workers = await Promise.all(
      Array.from({ length: count }, () => honestWorker(run.problem, run.port)),
    );
    const result = await run.finish();
    expect(result).toMatchObject({ outcome: 'complete', steps: 6, samples: 282, workers: count });
    for (const worker of workers) {
      expect(await worker.outcome).toBe('complete');
      expect(worker.computed).not.toEqual([]);
    }
    await expectRightWeights(run);
  });

  test('with workers beside local threads', async () => {
    const run = await startRun({ workers: 2, localThreads: true });
    const one = await honestWorker(run.problem, run.port, 'one');
    const two = await honestWorker(run.problem, run.port, 'two');
    expect(await run.finish()).toMatchObject({ outcome: 'complete', workers: 2 });
    expect(one.computed).not.toEqual([]);
    expect(two.computed).not.toEqual([]);
    await expectRightWeights(run);
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
    expect((await finished).outcome).toBe('complete');
    await expectRightWeights(run);
  });

  test('with local threads alone', async () => {
    const run = await startRun({ workers: 0, localThreads: true });
    expect(await run.finish()).toMatchObject({ outcome: 'complete', steps: 6, workers: 0 });
    await expectRightWeights(run);
  });
});

describe('the end', () => {
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
