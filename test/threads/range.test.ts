import { expect, test } from 'vitest';
import { coveringNodes } from '../../src/reduce/tree.js';
import { model, poolFor, problemOf } from './problem.js';

test.each([1, 2, 3])(
  'any range of a large batch fits in the memory of %i threads',
  async (threads) => {
    const microBatches = 64;
    const problem = await problemOf({ samples: 8 * microBatches, batch: 8 * microBatches });
    const pool = poolFor(problem, threads);
    for (const [first, last] of [
      [0, 64],
      [1, 63],
      [1, 64],
      [0, 63],
      [31, 33],
      [7, 58],
    ] as const) {
      const pieces = await pool.range(0, first, last);
      expect(pieces.map(({ node }) => node)).toEqual(coveringNodes(first, last, microBatches));
      for (const { place } of pieces) pool.pieces.give(place);
    }
  },
);

test('a piece that is given back is used again: the memory stops growing', async () => {
  const problem = await problemOf({ samples: 100, batch: 50 });
  const pool = poolFor(problem, 2);
  const sizes = new Set<number>();
  for (let step = 0; step < 40; step++) {
    for (const { place } of await pool.range(step, 1, 6)) pool.pieces.give(place);
    sizes.add(pool.memory.buffer.byteLength);
  }
  expect(sizes.size).toBe(1);
});

test('the pieces are those of the weights at the time', async () => {
  const problem = await problemOf({});
  const pool = poolFor(problem, 2);
  const values = async (): Promise<number[]> => {
    const [piece] = await pool.range(0, 0, 2);
    if (!piece) throw new Error('There is no piece.');
    const copy = [...new Float32Array(pool.memory.buffer, piece.place, model.parameterCount)];
    pool.pieces.give(piece.place);
    return copy;
  };
  const before = await values();
  expect(await values()).toEqual(before);
  pool.weights.fill(0.25);
  expect(await values()).not.toEqual(before);
});
