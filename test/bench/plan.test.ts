import { expect, test } from 'vitest';
import { comparisonsOf, keyOf, roundsOf, stepsIn } from '../../bench/plan.js';

const settings = {
  scaling: ['strong', 'weak'],
  batch: [64],
  kinds: ['threads', 'processes'],
  workers: [1, 2, 4],
  joined: 0,
} as const;

test('strong scaling keeps the batch, weak scaling keeps the batch of each worker', () => {
  const [strong, weak] = comparisonsOf(settings, () => 100);
  const batches = (one: typeof strong, kind: string): number[] =>
    one?.configurations.filter((row) => row.kind === kind).map(({ batch }) => batch) ?? [];
  for (const kind of settings.kinds) {
    expect(batches(strong, kind)).toEqual([64, 64, 64]);
    expect(batches(weak, kind)).toEqual([64, 128, 256]);
  }
});

test('workers that joined are one configuration, all together and the last', () => {
  const comparisons = comparisonsOf({ ...settings, joined: 3 }, () => 100);
  const last = comparisons.map(({ configurations }) => configurations.at(-1));
  expect(last).toMatchObject([
    { kind: 'joined', workers: 3, batch: 64 },
    { kind: 'joined', workers: 3, batch: 192 },
  ]);
  expect(comparisons.map(({ configurations }) => configurations.length)).toEqual([7, 7]);
});

test('all configurations of a comparison take the steps of its batch, and a quarter before', () => {
  const comparisons = comparisonsOf({ ...settings, batch: [64, 256] }, (batch) => batch / 2 + 1);
  expect(comparisons.map(({ scaling, batch }) => [scaling, batch])).toEqual([
    ['strong', 64],
    ['strong', 256],
    ['weak', 64],
    ['weak', 256],
  ]);
  for (const { batch, configurations } of comparisons) {
    for (const { steps, warmUpSteps } of configurations) {
      expect([steps, warmUpSteps]).toEqual(batch === 64 ? [33, 9] : [129, 33]);
    }
  }
});

test('each round has every configuration once, whatever comparisons it is part of', () => {
  const comparisons = comparisonsOf(settings, () => 10);
  const rounds = roundsOf(comparisons, 3).map((round) => round.map(keyOf));
  expect(rounds).toHaveLength(3);
  const wanted = comparisons.flatMap(({ configurations }) => configurations.map(keyOf));
  for (const round of rounds) {
    expect(new Set(round)).toEqual(new Set(wanted));
    expect(round).toHaveLength(new Set(wanted).size);
  }
  expect(wanted).toHaveLength(12);
  expect(rounds[0], 'one worker is the same for both scalings').toHaveLength(10);
});

test('every second round goes backwards', () => {
  const [first = [], second, third] = roundsOf(
    comparisonsOf(settings, () => 10),
    3,
  );
  expect(second).toEqual(first.toReversed());
  expect(third).toEqual(first);
});

test('configurations of another batch or of other steps are not the same', () => {
  const base = { kind: 'threads', workers: 1, batch: 64, steps: 10, warmUpSteps: 3 } as const;
  const others = [{ kind: 'processes' }, { workers: 2 }, { batch: 32 }, { steps: 11 }] as const;
  for (const other of others) expect(keyOf({ ...base, ...other })).not.toBe(keyOf(base));
});

test('steps follow from the time, and are never too few to count', () => {
  expect(stepsIn(3, 64_000, 64)).toBe(3_000);
  expect(stepsIn(0.1, 10, 64)).toBe(10);
});
