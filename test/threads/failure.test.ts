import { describe, expect, test } from 'vitest';
import { hyperparameters } from '../../src/optim/optimizer.js';
import { dtrainError } from '../data/helpers.js';
import { hyperOf, poolFor, problemOf } from './problem.js';

/** A module like a compiled model, each of whose kernels traps. */
async function trappingModule(): Promise<WebAssembly.Module> {
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const kernels = ['gradients', 'evaluate', 'add', 'update'].flatMap((kernel) => [
    ...name(kernel),
    0x00,
    0x00,
  ]);
  const section = (id: number, content: number[]): number[] => [id, content.length, ...content];
  const sharedMemory = [0x02, 0x03, 0x01, 0x80, 0x80, 0x04];
  const unreachable = [0x03, 0x00, 0x00, 0x0b];
  return WebAssembly.compile(
    Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...section(1, [1, 0x60, 0, 0]),
      ...section(2, [1, ...name('env'), ...name('memory'), ...sharedMemory]),
      ...section(3, [1, 0]),
      ...section(7, [4, ...kernels]),
      ...section(10, [1, ...unreachable]),
    ]),
  );
}

describe('a thread that throws', () => {
  test.each([1, 2, 5])('ends every job of %i threads with THREAD_FAILED', async (threads) => {
    const problem = await problemOf({ tests: 20 });
    const module = await trappingModule();
    const failed = dtrainError('THREAD_FAILED', 'unreachable');
    for (const start of ['range', 'lease', 'evaluate']) {
      const pool = poolFor(problem, threads, { module });
      const jobs = {
        range: () => pool.range(0, 0, 2),
        lease: () => pool.lease(0, [hyperOf(problem, 0)]),
        evaluate: () => pool.evaluate('test'),
      };
      await expect(jobs[start as keyof typeof jobs]()).rejects.toEqual(failed);
      await expect(pool.range(0, 0, 2), 'the next job').rejects.toEqual(failed);
      await pool.close();
    }
  });

  test('is the cause of the error', async () => {
    const pool = poolFor(await problemOf({}), 1, { module: await trappingModule() });
    const failure = pool.range(0, 0, 1);
    await expect(failure).rejects.toMatchObject({ cause: { message: 'unreachable' } });
  });
});

describe('closing', () => {
  test('ends threads that have done nothing', async () => {
    await poolFor(await problemOf({}), 3).close();
  });

  test('twice is once', async () => {
    const pool = poolFor(await problemOf({}), 2);
    await pool.range(0, 0, 1);
    await pool.close();
    await pool.close();
  });

  test('settles the job that is being done', async () => {
    const problem = await problemOf({ samples: 4000, batch: 4000 });
    const pool = poolFor(problem, 2);
    const job = pool.range(0, 0, 500).then(
      () => 'done',
      (error: unknown) => error,
    );
    await pool.close();
    expect(['done', dtrainError('THREAD_FAILED')]).toContainEqual(await job);
  });
});

describe('numbers that are not finite', () => {
  test('end a lease with the step that has them', async () => {
    const problem = await problemOf({});
    const pool = poolFor(problem, 2);
    const rows = [0, 1, 2, 3, 4].map((step) => hyperOf(problem, step));
    rows[2]?.set([Infinity], hyperparameters.indexOf('lr'));
    const sums = await pool.lease(0, rows);
    expect(sums.map(({ step }) => step)).toEqual([0, 1, 2]);
    expect(pool.finite).toBe(false);
  });

  test('are seen by an update by hand', async () => {
    const problem = await problemOf({});
    const pool = poolFor(problem, 1);
    const [piece] = await pool.range(0, 0, 2);
    if (!piece) throw new Error('There is no piece.');
    pool.update(0, piece.place, hyperOf(problem, 0));
    expect(pool.finite).toBe(true);
    new Float32Array(pool.memory.buffer, piece.place, 1).set([NaN]);
    pool.update(1, piece.place, hyperOf(problem, 1));
    expect(pool.finite).toBe(false);
  });
});
