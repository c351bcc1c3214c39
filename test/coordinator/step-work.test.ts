import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Member } from '../../coordinator/member.js';
import type { MicroBatchRange } from '../../coordinator/ranges.js';
import { StepWork } from '../../coordinator/step-work.js';
import { profileOf } from './profiles.js';

const STEP = 3;
const COUNT = 8;
const pace = { link: 0, pace: 1 };

function range(first: number, last: number): MicroBatchRange {
  return { first, last };
}

/** A member who was asked for a range at time 0, and is late with it at 2 * its length + 0.05. */
function at(work: MicroBatchRange, { step = STEP, probe = false } = {}): Member {
  const member = new Member(1, profileOf(), 0);
  member.begin({ step, range: work, probe }, pace, 0);
  return member;
}

describe('a range', () => {
  test('counts whole or not at all', () => {
    const work = new StepWork(STEP, COUNT);
    expect(work.count(range(2, 5))).toBe(true);
    for (const [first, last] of [
      [2, 5],
      [0, 3],
      [4, 8],
      [0, 8],
      [3, 4],
    ] as const) {
      expect(work.count(range(first, last))).toBe(false);
    }
    expect(work.complete).toBe(false);
    expect([work.count(range(0, 2)), work.count(range(5, 8))]).toEqual([true, true]);
    expect(work.complete).toBe(true);
  });

  test('counts in any order and any pieces, each micro-batch once', () => {
    const bounds = fc.tuple(fc.nat({ max: COUNT - 1 }), fc.integer({ min: 1, max: COUNT }));
    fc.assert(
      fc.property(fc.array(bounds), (answers) => {
        const work = new StepWork(STEP, COUNT);
        const counted = new Set<number>();
        for (const [first, length] of answers) {
          const last = Math.min(first + length, COUNT);
          const leaves = Array.from({ length: last - first }, (_, index) => first + index);
          const isNew = leaves.every((leaf) => !counted.has(leaf));
          expect(work.count(range(first, last))).toBe(isNew);
          if (isNew) for (const leaf of leaves) counted.add(leaf);
        }
        expect(work.complete).toBe(counted.size === COUNT);
        const open = work.open([], 0).flatMap(({ first, last }) => {
          return Array.from({ length: last - first }, (_, index) => first + index);
        });
        expect([...open, ...counted].sort((left, right) => left - right)).toEqual(
          Array.from({ length: COUNT }, (_, leaf) => leaf),
        );
      }),
    );
  });
});

describe('what is open', () => {
  const whole = [range(0, COUNT)];

  test('is what nobody is at work on', () => {
    const work = new StepWork(STEP, COUNT);
    expect(work.open([], 0)).toEqual(whole);
    expect(work.open([at(range(0, 3)), at(range(5, 6))], 0)).toEqual([range(3, 5), range(6, 8)]);
    work.count(range(6, 8));
    expect(work.open([at(range(0, 5)), at(range(5, 6))], 0)).toEqual([]);
  });

  test('is also what somebody is late with, to the moment', () => {
    const work = new StepWork(STEP, COUNT);
    const member = at(range(0, COUNT));
    const { lateAt } = member.work ?? { lateAt: NaN };
    expect(work.open([member], lateAt - 1e-6)).toEqual([]);
    expect(work.open([member], lateAt)).toEqual(whole);
  });

  test('is also what somebody has who is lost', () => {
    const work = new StepWork(STEP, COUNT);
    const members = [at(range(0, 4)), at(range(4, 8))];
    const [silent, stuck] = members;
    if (!silent || !stuck) return;
    silent.silent = true;
    expect(work.open(members, 0)).toEqual([range(0, 4)]);
    stuck.stuck = true;
    expect(work.open(members, 0)).toEqual(whole);
  });

  test('is whatever members do for other steps, or to show how fast they are', () => {
    const work = new StepWork(STEP, COUNT);
    const before = at(range(0, 4), { step: STEP - 1 });
    expect(work.open([before, at(range(0, 4), { probe: true })], 0)).toEqual(whole);
  });

  test('is what somebody is at work on in vain, since a part of it is counted', () => {
    const work = new StepWork(STEP, COUNT);
    work.count(range(0, 1));
    expect(work.open([at(range(0, 4))], 0)).toEqual([range(1, 8)]);
  });

  test('is not what the coordinator checks', () => {
    const work = new StepWork(STEP, COUNT);
    work.check(range(2, 4));
    expect(work.open([], 0)).toEqual([range(0, 2), range(4, 8)]);
    work.checked(range(2, 4));
    expect(work.open([], 0)).toEqual(whole);
  });
});
