import { describe, expect, test } from 'vitest';
import { stepHyperparameters } from '../../src/optim/optimizer.js';
import { pieceBytes } from '../../src/protocol/protocol.js';
import { coveringNodes } from '../../src/reduce/tree.js';
import { dtrainError } from '../data/helpers.js';
import { model } from '../threads/problem.js';
import { Client } from './client.js';
import { expectRightEnd, expectRightWeights } from './expectations.js';
import { honestWorker } from './honest-worker.js';
import { type RunUnderTest, startRun } from './run.js';

type Falsify = (values: Float32Array) => void;

const lies: readonly [string, Falsify][] = [
  ['NaN everywhere', (values) => values.fill(NaN)],
  ['infinity everywhere', (values) => values.fill(Infinity)],
  [
    'one NaN, of a strange kind, in the middle',
    (values) => {
      const bits = new Uint32Array(values.buffer);
      bits[Math.floor(bits.length / 2)] = 0xff800001;
    },
  ],
  [
    'one infinity, below zero, as the number of correct answers',
    (values) => values.fill(-Infinity, -1),
  ],
];

/** Joins, is given work, and answers with values that are not finite. */
async function lie(run: RunUnderTest, falsify: Falsify): Promise<void> {
  const liar = await Client.connect(run.port);
  await liar.join('liar');
  await liar.next('weights');
  const { step, first, last } = await liar.next('work');
  const pieces = coveringNodes(first, last, 8).length;
  const values = new Float32Array((pieces * pieceBytes(model.parameterCount)) / 4);
  falsify(values);
  const payload = new Uint8Array(values.buffer);
  liar.say({ type: 'pieces', step, first, last, micros: 1 }, payload);
  const { reason } = await liar.next('refused');
  expect(reason).toBe('it sent values that are not finite, where they are finite');
  expect(await liar.closed).toBe(1008);
  const left = await run.happened(({ action }) => action === 'left');
  expect(left).toMatchObject({ name: 'liar', reason, workers: 0 });
}

describe('a worker that sends values that are not finite is turned out, and the run goes on', () => {
  test.each(lies)('without local threads: %s', async (_, falsify) => {
    const run = await startRun();
    const finished = run.finish();
    await lie(run, falsify);
    const honest = await honestWorker(run.problem, run.port);
    expect((await expectRightEnd(run, finished)).refusedAnswers).toBe(1);
    expect(await honest.outcome).toBe('complete');
  });

  test.each(lies)('with local threads: %s', async (_, falsify) => {
    const run = await startRun({ localThreads: true });
    const finished = run.finish();
    await lie(run, falsify);
    expect((await expectRightEnd(run, finished)).refusedAnswers).toBe(1);
  });

  test('as often as there is one', async () => {
    const run = await startRun();
    await lie(run, (values) => values.fill(NaN));
    const again = await Client.connect(run.port);
    await again.join('again');
    await again.next('weights');
    const { step, first, last } = await again.next('work');
    again.pieces(first, last, pieceBytes(model.parameterCount), step, 0xff);
    await again.next('refused');
    expect((await expectRightWeights(run)).refusedAnswers).toBe(2);
  });
});

describe('a run whose values are really not finite ends, and says at which step', () => {
  const diverging = (step: number, samples: number): Float32Array =>
    stepHyperparameters({ momentum: 0.9, weightDecay: 0.01 }, 1e30, samples, step);
  const expected = dtrainError('NOT_FINITE', 'at step 2', '--lr');

  test('with local threads alone', async () => {
    const run = await startRun({ workers: 0, localThreads: true, hyper: diverging });
    await expect(run.finish()).rejects.toEqual(expected);
  });

  test('without local threads: the worker is not to blame', async () => {
    const run = await startRun({ hyper: diverging });
    const honest = await honestWorker(run.problem, run.port);
    await expect(run.finish()).rejects.toEqual(expected);
    expect(run.events.map(({ action }) => action)).toEqual(['joined']);
    await run.fleet.close('failed');
    expect(await honest.outcome).toBe('failed');
  });

  test('with workers beside local threads', async () => {
    const run = await startRun({ workers: 2, localThreads: true, hyper: diverging });
    await honestWorker(run.problem, run.port, 'one');
    await honestWorker(run.problem, run.port, 'two');
    await expect(run.finish()).rejects.toEqual(expected);
    expect(run.events.map(({ action }) => action)).toEqual(['joined', 'joined']);
  });
});
