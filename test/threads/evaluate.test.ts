import { describe, expect, test } from 'vitest';
import { EngineUnderTest } from '../engine/harness.js';
import { initialWeights } from '../../src/model/initial-weights.js';
import { sizeOf } from '../../src/model/model.js';
import { model, poolFor, type Problem, problemOf } from './problem.js';

const total = (rows: readonly (readonly number[])[]): number =>
  rows.flat().reduce((sum, count) => sum + count, 0);

/** Samples of the training split with these numbers. */
function chosen({ training }: Problem, list: Uint32Array) {
  const size = sizeOf(model.spec.input);
  return [...list].map((sample) => ({
    bytes: training.images.slice(sample * size, (sample + 1) * size),
    label: training.labels[sample] ?? 0,
  }));
}

describe.each([1, 7, 8, 9, 100])('%i test samples', (tests) => {
  test.each([1, 2, 3, 5])('are all counted by %i threads, each in one cell', async (threads) => {
    const problem = await problemOf({ tests });
    const { samples, loss, accuracy, confusion } = await poolFor(problem, threads).evaluate('test');
    expect(samples).toBe(tests);
    expect(total(confusion)).toBe(tests);
    const right = confusion.reduce((sum, row, label) => sum + (row[label] ?? 0), 0);
    expect(accuracy).toBe(right / tests);
    const perLabel = confusion.map((row) => total([row]));
    const expected = perLabel.map((_, at) => problem.test.labels.filter((l) => l === at).length);
    expect(perLabel).toEqual(expected);
    expect(loss).toBeGreaterThan(0);
    const alone = await poolFor(problem, 1).evaluate('test');
    expect({ samples, loss, accuracy, confusion }).toEqual(alone);
  });
});

test('validation is over the samples that are held out, with the numbers of the kernels alone', async () => {
  const problem = await problemOf({ samples: 80, validation: 29 });
  const { samples, loss, accuracy, confusion } = await poolFor(problem, 2).evaluate('validation');
  const held = chosen(problem, problem.lists.validation);
  const engine = await EngineUnderTest.create(model);
  const expected = engine.evaluate({
    model,
    weights: Float64Array.from(initialWeights(model, problem.seed)),
    table: problem.table,
    bytes: held.map(({ bytes }) => bytes),
    labels: held.map(({ label }) => label),
  });
  expect(samples).toBe(29);
  expect(loss).toBe(expected.loss / 29);
  expect(accuracy).toBe(expected.correct / 29);
  const cells = held.map(({ label }, index) => [label, expected.classes[index] ?? NaN] as const);
  for (const [label, row] of confusion.entries()) {
    for (const [predicted, count] of row.entries()) {
      const same = cells.filter(([l, p]) => l === label && p === predicted).length;
      expect(count, `label ${label} taken for ${predicted}`).toBe(same);
    }
  }
});

test('leaves the weights and the training as they were', async () => {
  const problem = await problemOf({ tests: 20 });
  const pool = poolFor(problem, 2);
  const before = [...pool.weights];
  const first = await pool.evaluate('test');
  expect([...pool.weights]).toEqual(before);
  expect(await pool.evaluate('test')).toEqual(first);
});

test('can be over more samples than a function has arguments', async () => {
  const problem = await problemOf({ tests: 100_000 });
  const { samples, confusion } = await poolFor(problem, 2).evaluate('test');
  expect(samples).toBe(100_000);
  expect(total(confusion)).toBe(100_000);
});
