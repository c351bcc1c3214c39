import { describe, expect, test } from 'vitest';
import { pieceBytes } from '../../src/protocol/protocol.js';
import { bits } from '../reduce/fake-sums.js';
import { plainTraining } from '../threads/plain-training.js';
import { model } from '../threads/problem.js';
import { Client } from './client.js';
import { honestWorker } from './honest-worker.js';
import { startRun } from './run.js';

describe('values that are not finite', () => {
  test.each([
    ['NaN', 0xff],
    // 0x7f7f7f7f is a large number, so infinity is made of two kinds of bytes.
    ['infinity', undefined],
  ])('%s of one worker alone: it is turned out, and the run goes on', async (_, byte) => {
    const run = await startRun();
    const liar = await Client.connect(run.port);
    await liar.join('liar');
    const finished = run.finish();
    const work = await liar.next('weights').then(() => liar.next('work'));
    const payload = new Uint8Array(pieceBytes(model.parameterCount));
    if (byte === undefined) new Float32Array(payload.buffer).fill(Infinity);
    else payload.fill(byte);
    const { step, first, last } = work;
    liar.say({ type: 'pieces', step, first, last, micros: 1 }, payload);
    expect((await liar.next('refused')).reason).toBe(
      'it sent values that are not finite, where they are finite',
    );
    await run.happened(({ action }) => action === 'left');
    const honest = await honestWorker(run.problem, run.port);
    const { outcome, refusedAnswers } = await finished;
    expect(outcome).toBe('complete');
    expect(refusedAnswers).toBe(1);
    expect(await honest.outcome).toBe('complete');
    const expected = await plainTraining(run.problem, run.totalSteps);
    expect(bits(run.pool.weights)).toEqual(bits(expected.weights));
  });
});
