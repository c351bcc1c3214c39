import { expect } from 'vitest';
import type { TrainingResult } from '../../dist/coordinator/training.js';
import { bits } from '../reduce/fake-sums.js';
import { plainTraining } from '../threads/plain-training.js';
import type { Client } from './client.js';
import { honestWorker } from './honest-worker.js';
import type { RunUnderTest } from './run.js';

/** The run ends, with one more worker, in the weights that it has without any worker. */
export async function expectRightWeights(run: RunUnderTest): Promise<TrainingResult> {
  const worker = await honestWorker(run.problem, run.port);
  const result = await expectRightEnd(run);
  expect(await worker.outcome).toBe('complete');
  return result;
}

/** The run ends in the weights that it has without any worker. */
export async function expectRightEnd(
  run: RunUnderTest,
  finished = run.finish(),
): Promise<TrainingResult> {
  const result = await finished;
  expect(result.outcome).toBe('complete');
  const expected = await plainTraining(run.problem, run.totalSteps);
  expect(bits(run.pool.weights)).toEqual(bits(expected.weights));
  return result;
}

/** What a client was told before it was cut off. */
export async function expectRefused(client: Client, reason: RegExp): Promise<void> {
  for (;;) {
    const frame = await client.frame();
    if (frame?.message.type === 'welcome') continue;
    expect(frame?.message).toEqual({
      type: 'refused',
      reason: expect.stringMatching(reason) as unknown,
    });
    break;
  }
  expect(await client.frame()).toBeUndefined();
  expect(await client.closed).toBe(1008);
}
