import { describe, expect, test } from 'vitest';
import { RunEnd } from '../../coordinator/run-end.js';

const limits = { deadline: Infinity, budget: 5000n, targetAccuracy: null, evaluation: 0 };
const free = { perHour: 0n, currency: 'USD', minimumSeconds: 0, perGigabyte: 0n };

describe('who may join a run with a budget', () => {
  const end = new RunEnd(limits, { spent: (now) => BigInt(1000 * now) });

  test('is whoever is paid for with what is left, the least time included', () => {
    const dear = { ...free, perHour: 3_600_000n, minimumSeconds: 3 };
    expect(end.objection(dear, 2)).toBeUndefined();
    expect(end.objection(dear, 3)).toBe('dear');
    expect(end.objection(free, 5)).toBeUndefined();
  });

  test('is nobody of whom nobody knows what it costs', () => {
    expect(end.objection(null, 0)).toBe('unpriced');
  });

  test('is anybody where there is no budget', () => {
    expect(new RunEnd({ ...limits, budget: null }, undefined).objection(null, 0)).toBeUndefined();
    expect(new RunEnd(undefined, undefined).objection(null, 0)).toBeUndefined();
  });
});

test('money lasts as long as the ledger says, minimum times included', () => {
  // The first 10 s are paid with 1000; each second after them costs 500.
  const spent = (now: number, more = 0): bigint =>
    1000n + 500n * BigInt(Math.ceil(Math.max(0, now + more - 10)));
  const end = new RunEnd({ ...limits, budget: 3000n }, { spent });
  const { at, limit } = end.next(0, undefined);
  expect(limit).toBe('budget');
  expect(at).toBeCloseTo(14 - 0.2, 2);
});

test('money that is not used up never ends a run', () => {
  const end = new RunEnd(limits, { spent: () => 4999n });
  expect(end.next(0, undefined).at).toBe(Infinity);
});
