import { sumOfPhases } from '../../src/threads/phases.js';
import { expect, test } from 'vitest';
import { assertSameWeights, compareWeights } from '../../bench/results.js';
import { measured, reportOf } from './figures.js';

const [strong, weak] = reportOf().tables;

test('a speed-up is against one worker of the same kind in the same round', () => {
  const [one, two, process, processes] = strong?.rows ?? [];
  expect(one?.speedUp).toEqual({ median: 1, least: 1, most: 1 });
  expect(two?.speedUp.least).toBeCloseTo(1.5);
  expect(two?.speedUp.most).toBeCloseTo(1.8);
  expect(two?.speedUp.median).toBeCloseTo(1.65);
  expect(process?.speedUp.median).toBe(1);
  expect(processes?.speedUp.most).toBeCloseTo(1.2);
});

test('efficiency is the speed-up for each worker', () => {
  const efficiencies = (table: typeof strong): number[] =>
    table?.rows.map(({ efficiency }) => Number(efficiency.toFixed(4))) ?? [];
  expect(efficiencies(strong)).toEqual([1, 0.825, 1, 0.55]);
  expect(efficiencies(weak)).toEqual([1, 0.9625, 1, 0.8875]);
});

test('the parts of a step are those of one run, and add up', () => {
  for (const { step, batch } of [...(strong?.rows ?? []), ...(weak?.rows ?? [])]) {
    expect(sumOfPhases(step) + step.wait).toBeCloseTo(step.seconds);
    expect(batch / step.seconds, 'of the slower of two').toBeGreaterThan(0);
  }
  expect(strong?.rows[0]?.step.seconds).toBeCloseTo(64 / 1_000);
  expect(strong?.rows[0]?.bytes).toBeNull();
  expect(strong?.rows[3]?.bytes).toEqual({ sent: 2_000, received: 4_000 });
});

test('runs of the same batch and steps are compared, of whatever kind they are', () => {
  const groups = compareWeights(measured());
  const sum = (batch: number): string => String(batch).padStart(64, 'a');
  expect(groups).toEqual([
    { batch: 64, steps: 100, configurations: 4, runs: 8, weightsSha256: [sum(64)] },
    { batch: 128, steps: 100, configurations: 2, runs: 4, weightsSha256: [sum(128)] },
  ]);
  expect(() => {
    assertSameWeights({ weights: groups });
  }).not.toThrow();
});

test('one run with other weights is an error that names them', () => {
  const other = 'b'.repeat(64);
  const figures = measured((one) =>
    one.configuration.kind === 'processes' && one.configuration.batch === 128
      ? { ...one, weightsSha256: other }
      : one,
  );
  const weights = compareWeights(figures);
  expect(weights[1]?.weightsSha256).toHaveLength(2);
  expect(() => {
    assertSameWeights({ weights });
  }).toThrow(
    expect.objectContaining({
      code: 'WEIGHTS_DIFFER',
      message: expect.stringMatching(/batch 128 .* 2 different weights .*bbbbbbbbbbbb/) as string,
    }),
  );
});
