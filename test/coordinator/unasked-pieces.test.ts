import { describe, expect, test } from 'vitest';
import { limits, pieceBytes } from '../../src/protocol/protocol.js';
import { bits } from '../reduce/fake-sums.js';
import { plainTraining } from '../threads/plain-training.js';
import { model } from '../threads/problem.js';
import { Client } from './client.js';
import { honestWorker } from './honest-worker.js';
import { startRun } from './run.js';

describe('pieces that nobody asked for', () => {
  test('are dropped, and the worker may go on', async () => {
    const run = await startRun({ epochs: 3 });
    const junk = await Client.connect(run.port);
    await junk.join('junk');
    await junk.next('weights');
    await junk.next('work');
    const honest = await honestWorker(run.problem, run.port);
    await run.happened(({ name }) => name === 'honest');
    const finished = run.finish();
    // Ranges and steps that are not its own; the bytes would spoil the weights.
    for (let step = 0; step < 9; step++) {
      for (const [from, to] of [
        [0, 1],
        [1, 2],
        [0, 2],
      ] as const) {
        junk.pieces(from, to, pieceBytes(model.parameterCount), step, 0x3f);
      }
    }
    junk.say({ type: 'leave' });
    await run.happened(({ action }) => action === 'left');
    expect(run.events.at(-1)).toMatchObject({ name: 'junk', reason: 'it left' });
    expect((await finished).outcome).toBe('complete');
    expect(await honest.outcome).toBe('complete');
    const expected = await plainTraining(run.problem, run.totalSteps);
    expect(bits(run.pool.weights)).toEqual(bits(expected.weights));
  });

  test('take no memory for good', async () => {
    const run = await startRun({ workers: 2 });
    const junk = await Client.connect(run.port);
    await junk.join('junk');
    await run.happened(({ name }) => name === 'junk');
    const sizes: number[] = [];
    for (let round = 0; round < 3; round++) {
      for (let time = 0; time < limits.unaskedAnswers / 4; time++) {
        junk.pieces(0, 1, pieceBytes(model.parameterCount));
      }
      // An answer to this comes after all that was said before.
      const pong = new Promise((resolve) => junk.socket.once('pong', resolve));
      junk.socket.ping();
      await pong;
      sizes.push(run.pool.memory.buffer.byteLength);
    }
    expect(new Set(sizes).size).toBe(1);
  });

  test('too many in a row end the connection, with the reason', async () => {
    const run = await startRun({ workers: 2 });
    const junk = await Client.connect(run.port);
    await junk.join('junk');
    await run.happened(({ name }) => name === 'junk');
    for (let time = 0; time <= limits.unaskedAnswers; time++) {
      junk.pieces(0, 1, pieceBytes(model.parameterCount));
    }
    expect((await junk.next('refused')).reason).toBe('it sends answers that nobody asks for');
    const left = await run.happened(({ action }) => action === 'left');
    expect(left).toMatchObject({ name: 'junk', workers: 0 });
  });
});
