import { describe, expect, test } from 'vitest';
import { limits, pieceBytes } from '../../src/protocol/protocol.js';
import { model } from '../threads/problem.js';
import { Client } from './client.js';
import { expectRefused, expectRightEnd, expectRightWeights } from './expectations.js';
import { computing, honestWorker } from './honest-worker.js';
import { startRun } from './run.js';

const bytes = pieceBytes(model.parameterCount);

describe('pieces that nobody asked for', () => {
  test('are dropped and counted, and the worker may go on', async () => {
    const run = await startRun({ epochs: 3 });
    const finished = run.finish();
    const junk = await Client.connect(run.port);
    await junk.join('junk');
    await junk.next('weights');
    await junk.next('work');
    // Ranges and steps that are not its own; the bytes would spoil the weights.
    for (let step = 0; step < 9; step++) {
      junk.pieces(0, 1, bytes, step, 0x3f);
      junk.pieces(1, 2, bytes, step, 0x3f);
      junk.pieces(0, 2, bytes, step, 0x3f);
    }
    await junk.heard();
    const honest = await honestWorker(run.problem, run.port);
    await run.happened(({ name }) => name === 'honest');
    junk.say({ type: 'leave' });
    const left = await run.happened(({ action }) => action === 'left');
    expect(left).toMatchObject({ name: 'junk', reason: 'it left' });
    expect((await expectRightEnd(run, finished)).refusedAnswers).toBe(27);
    expect(await honest.outcome).toBe('complete');
  });

  test('take no memory for good', async () => {
    const run = await startRun({ workers: 2 });
    const junk = await Client.connect(run.port);
    await junk.join('junk');
    await run.happened(({ name }) => name === 'junk');
    const sizes: number[] = [];
    for (let round = 0; round < 3; round++) {
      for (let time = 0; time < limits.unaskedAnswers / 4; time++) junk.pieces(0, 1, bytes);
      await junk.heard();
      sizes.push(run.pool.memory.buffer.byteLength);
    }
    expect(new Set(sizes).size).toBe(1);
  });

  test('are let pass a hundred times in a row; one more ends the connection', async () => {
    const run = await startRun({ workers: 2 });
    const junk = await Client.connect(run.port);
    await junk.join('junk');
    for (let time = 0; time < limits.unaskedAnswers; time++) junk.pieces(0, 1, bytes);
    await junk.heard();
    expect(run.events.map(({ action }) => action)).toEqual(['joined']);
    junk.pieces(0, 1, bytes);
    await expectRefused(junk, /^it sends answers that nobody asks for$/);
    const left = await run.happened(({ action }) => action === 'left');
    expect(left).toMatchObject({ name: 'junk', workers: 0 });
  });
});

test('pieces that are asked for end a row of those that are not', async () => {
  const run = await startRun();
  const finished = run.finish();
  const odd = await Client.connect(run.port);
  await odd.join('odd');
  const { weights, piecesOf } = computing(run.problem);
  const many = limits.unaskedAnswers - 1;
  for (let time = 0; time < 2; time++) {
    const frame = await odd.frame();
    weights.set(new Float32Array(Uint8Array.from(frame?.payload ?? []).buffer));
    const { step, first, last } = await odd.next('work');
    for (let more = 0; more < many; more++) odd.pieces(0, 1, bytes, 5);
    odd.say({ type: 'pieces', step, first, last, micros: 0 }, await piecesOf(step, first, last));
  }
  await odd.next('weights');
  expect(run.events.map(({ action }) => action)).toEqual(['joined']);
  const honest = await honestWorker(run.problem, run.port);
  await run.happened(({ name }) => name === 'honest');
  odd.say({ type: 'leave' });
  expect((await expectRightEnd(run, finished)).refusedAnswers).toBe(2 * many);
  expect(await honest.outcome).toBe('complete');
});

describe('pieces that come too late', () => {
  test('are dropped and counted, but are not among those that nobody asked for', async () => {
    const run = await startRun({ workers: 2 });
    const finished = run.finish();
    const slow = await Client.connect(run.port);
    await slow.join('slow');
    await run.happened(({ name }) => name === 'slow');
    const quick = await Client.connect(run.port);
    await quick.join('quick');
    await slow.next('weights');
    const late = await slow.next('work');

    const { weights, piecesOf } = computing(run.problem);
    const frame = await quick.frame();
    weights.set(new Float32Array(Uint8Array.from(frame?.payload ?? []).buffer));
    // Its own share, and then the other's, with which that one is late.
    for (let share = 0; share < 2; share++) {
      const { step, first, last } = await quick.next('work');
      quick.say(
        { type: 'pieces', step, first, last, micros: 0 },
        await piecesOf(step, first, last),
      );
    }
    expect(await quick.next('weights')).toMatchObject({ step: 1 });
    const many = limits.unaskedAnswers - 1;
    for (let time = 0; time < many; time++) slow.pieces(0, 1, bytes, 5);
    slow.pieces(late.first, late.last, bytes, 0, 0x3f);
    for (let time = 0; time < many; time++) slow.pieces(0, 1, bytes, 5);
    await slow.heard();
    expect(run.events.map(({ action }) => action)).toEqual(['joined', 'joined']);

    const honest = await honestWorker(run.problem, run.port);
    await run.happened(({ name }) => name === 'honest');
    slow.say({ type: 'leave' });
    quick.say({ type: 'leave' });
    expect((await expectRightEnd(run, finished)).refusedAnswers).toBe(2 * many + 1);
    expect(await honest.outcome).toBe('complete');
  });
});

test('a run that everybody answers as asked counts none', async () => {
  const run = await startRun();
  expect((await expectRightWeights(run)).refusedAnswers).toBe(0);
});
