import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StepSums, ThreadPool } from '../../dist/src/threads/pool.js';
import { batchOf } from '../../src/data/batches.js';
import { type MemorySplit, sizeOfSplit, type SplitSize } from '../../src/data/dataset.js';
import { cutShards } from '../../src/data/shards.js';
import { contentOf, temporaryFolder } from '../data/helpers.js';
import { bits } from '../reduce/fake-sums.js';
import { hyperOf, model, poolFor, type Problem, problemOf } from './problem.js';

const PER_FILE = 17;

/** The same samples in files, one of which is short. */
async function inFiles(split: MemorySplit): Promise<SplitSize> {
  const folder = await temporaryFolder();
  const { sampleBytes } = sizeOfSplit(split);
  const paths: string[] = [];
  for (let first = 0; first < split.count; first += PER_FILE) {
    const labels = split.labels.subarray(first, first + PER_FILE);
    const images = split.images.subarray(first * sampleBytes, (first + PER_FILE) * sampleBytes);
    const [shard] = cutShards({ count: labels.length, images, labels });
    if (!shard) throw new Error('There is no shard.');
    const file = path.join(folder, shard.sha256);
    await writeFile(file, contentOf(shard));
    paths.push(file);
  }
  return { count: split.count, sampleBytes, files: { paths, perFile: PER_FILE, sampleBytes } };
}

/** Leased steps, then steps whose batch is one range: the threads read ahead between them. */
async function train(pool: ThreadPool, problem: Problem): Promise<StepSums[]> {
  const plan = { samples: problem.lists.training.length, batch: problem.batch };
  const row = (step: number): Float32Array => hyperOf(problem, step, batchOf(plan, step).samples);
  const sums = await pool.lease(0, [0, 1, 2, 3].map(row));
  for (let step = 4; step < 9; step++) {
    const [piece] = await pool.range(step, 0, batchOf(plan, step).microBatches);
    if (!piece) throw new Error('There is no sum.');
    sums.push(pool.update(step, piece.place, row(step)));
    pool.pieces.give(piece.place);
  }
  return sums;
}

const amounts = { shift: 0.2, rotate: 30, scale: 0.2, elastic: 0.2 };

describe.each([
  ['as they are', {}],
  ['augmented', { augmentation: { amounts, shape: model.spec.input } }],
])('samples in files, %s, give the bits of samples in memory', (_, change) => {
  test.each([1, 3])('of %i threads', async (threads) => {
    const size = { samples: 120, batch: 28, validation: 27, tests: 50 };
    const problem = { ...(await problemOf(size)), ...change };
    const memory = poolFor(problem, 2);
    const files = poolFor(problem, threads, {
      training: await inFiles(problem.training),
      test: await inFiles(problem.test),
    });
    expect(await train(files, problem)).toEqual(await train(memory, problem));
    expect(bits(files.weights)).toEqual(bits(memory.weights));
    for (const split of ['test', 'validation'] as const) {
      expect(await files.evaluate(split)).toEqual(await memory.evaluate(split));
    }
    expect(files.memory.buffer.byteLength).toBeLessThanOrEqual(memory.memory.buffer.byteLength);
  });
});

test('samples that are gone end the job with a sentence that says so', async () => {
  const problem = await problemOf({ samples: 40, batch: 16 });
  const { files, ...size } = await inFiles(problem.training);
  if (!files) throw new Error('The samples are in memory.');
  const gone = { ...files, paths: files.paths.map((file) => `${file}.gone`) };
  const pool = poolFor(problem, 2, { training: { ...size, files: gone } });
  await expect(pool.range(0, 0, 2)).rejects.toThrow(/cannot be read: .* is gone; start again/);
});
