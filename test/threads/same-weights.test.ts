import { describe, expect, test } from 'vitest';
import type { HeldPiece, StepSums, ThreadPool } from '../../dist/src/threads/pool.js';
import { shareOut } from '../../coordinator/ranges.js';
import { batchOf, stepsPerEpoch } from '../../src/data/batches.js';
import { Reduction } from '../../src/reduce/reduction.js';
import { bits } from '../reduce/fake-sums.js';
import { randomNumbers } from '../reference/random.js';
import { plainTraining } from './plain-training.js';
import { hyperOf, model, poolFor, type Problem, problemOf } from './problem.js';

const THREADS = [1, 2, 3, 5];
const SAMPLES = 141;
/** Steps that reach into a third epoch. */
const stepsOf = (problem: Problem): number =>
  Math.min(
    60,
    2 * stepsPerEpoch({ samples: problem.lists.training.length, batch: problem.batch }) + 1,
  );

function rowsOf(problem: Problem, first: number, steps: number): Float32Array[] {
  const plan = { samples: problem.lists.training.length, batch: problem.batch };
  return Array.from({ length: steps }, (_, index) =>
    hyperOf(problem, first + index, batchOf(plan, first + index).samples),
  );
}

/** One step whose ranges are computed one by one, last first, and reduced on this thread. */
async function stepInParts(
  pool: ThreadPool,
  problem: Problem,
  step: number,
  next: () => number,
): Promise<StepSums> {
  const plan = { samples: problem.lists.training.length, batch: problem.batch };
  const { microBatches, samples } = batchOf(plan, step);
  const speeds = Array.from({ length: 1 + Math.floor(4 * next()) }, () => ({
    link: next(),
    pace: 0.1 + next(),
  }));
  const shares = shareOut({ first: 0, last: microBatches }, speeds).ranges;
  const ranges = shares.filter(({ first, last }) => last > first);
  const pieces: HeldPiece[] = [];
  for (const { first, last } of ranges.reverse()) {
    pieces.push(...(await pool.range(step, first, last)));
  }
  const reduction = new Reduction<number>(microBatches, (left, right) => {
    pool.updater.add(left, right);
    pool.pieces.give(right);
    return left;
  });
  for (const { node, place } of pieces) reduction.take(node, place);
  if (reduction.root === undefined) throw new Error('The pieces are not the whole step.');
  const sums = pool.update(step, reduction.root, hyperOf(problem, step, samples));
  pool.pieces.give(reduction.root);
  return sums;
}

describe.each([1, 7, 8, 64, 100, 200])(
  'batches of %i: the same bits as without threads',
  (batch) => {
    test.each(THREADS)('from a lease of %i threads', async (threads) => {
      const problem = await problemOf({ samples: SAMPLES, batch });
      const steps = stepsOf(problem);
      const expected = await plainTraining(problem, steps);
      const pool = poolFor(problem, threads);
      // In two leases, since a lease goes on where another one ended.
      const cut = Math.ceil(steps / 3);
      const sums = [
        ...(await pool.lease(0, rowsOf(problem, 0, cut))),
        ...(await pool.lease(cut, rowsOf(problem, cut, steps - cut))),
      ];
      expect(sums).toEqual(expected.steps);
      expect(bits(pool.weights)).toEqual(bits(expected.weights));
    });

    test.each(THREADS)('from ranges of %i threads, reduced by hand', async (threads) => {
      const problem = await problemOf({ samples: SAMPLES, batch });
      const steps = stepsOf(problem);
      const expected = await plainTraining(problem, steps);
      const pool = poolFor(problem, threads);
      const next = randomNumbers(batch + threads);
      const sums: StepSums[] = [];
      for (let step = 0; step < steps; step++) {
        sums.push(await stepInParts(pool, problem, step, next));
      }
      expect(sums).toEqual(expected.steps);
      expect(bits(pool.weights)).toEqual(bits(expected.weights));
    });
  },
);

test('with samples held out, the same bits as without threads', async () => {
  const problem = await problemOf({ samples: 90, batch: 24, validation: 27 });
  const expected = await plainTraining(problem, 7);
  const pool = poolFor(problem, 2);
  expect(await pool.lease(0, rowsOf(problem, 0, 7))).toEqual(expected.steps);
  expect(bits(pool.weights)).toEqual(bits(expected.weights));
});

describe('with augmented images, the same bits as without threads', () => {
  const amounts = { shift: 0.2, rotate: 30, scale: 0.2, elastic: 0.2 };
  const augmentation = { amounts, shape: model.spec.input };

  test.each(THREADS)('from a lease and from ranges of %i threads', async (threads) => {
    const problem = {
      ...(await problemOf({ samples: 90, batch: 28, validation: 27 })),
      augmentation,
    };
    const expected = await plainTraining(problem, 9);
    const pool = poolFor(problem, threads);
    const sums = await pool.lease(0, rowsOf(problem, 0, 5));
    const next = randomNumbers(threads);
    for (let step = 5; step < 9; step++) sums.push(await stepInParts(pool, problem, step, next));
    expect(sums).toEqual(expected.steps);
    expect(bits(pool.weights)).toEqual(bits(expected.weights));
  });

  test('which are not those of the images as they are, and evaluation is of these', async () => {
    const plain = await problemOf({ samples: 90, validation: 27, tests: 20 });
    const augmented = { ...plain, augmentation };
    const [one, two] = await Promise.all([plainTraining(plain, 3), plainTraining(augmented, 3)]);
    expect(bits(one.weights)).not.toEqual(bits(two.weights));
    for (const split of ['test', 'validation'] as const) {
      const evaluated = await poolFor(augmented, 2).evaluate(split);
      expect(evaluated).toEqual(await poolFor(plain, 2).evaluate(split));
    }
  });
});

test('leases and ranges take turns', async () => {
  const problem = await problemOf({ samples: SAMPLES, batch: 64 });
  const expected = await plainTraining(problem, 6);
  const pool = poolFor(problem, 3);
  const next = randomNumbers(1);
  await pool.lease(0, rowsOf(problem, 0, 2));
  await stepInParts(pool, problem, 2, next);
  await pool.lease(3, rowsOf(problem, 3, 1));
  await stepInParts(pool, problem, 4, next);
  await stepInParts(pool, problem, 5, next);
  expect(bits(pool.weights)).toEqual(bits(expected.weights));
});

// Else the tests above could not fail.
test('other weights come of another order of the samples', async () => {
  const problem = await problemOf({ samples: SAMPLES, batch: 64 });
  const other = { ...problem, seed: problem.seed + 1 };
  const [one, two] = await Promise.all([plainTraining(problem, 3), plainTraining(other, 3)]);
  expect(bits(one.weights)).not.toEqual(bits(two.weights));
});
