import { expect, test } from 'vitest';
import { PhaseTally } from '../../coordinator/phase-tally.js';
import { NO_TIME } from '../../src/threads/phases.js';

test('of those who share a step, the one that computes longest counts', () => {
  const tally = new PhaseTally();
  tally.answered(1, 3);
  tally.used(1);
  tally.answered(2, 5);
  tally.used(2);
  tally.answered(3, 9); // Too late: not used.
  tally.updated(performance.now());
  expect(tally.total.compute).toBe(5);
  tally.answered(1, 2);
  tally.used(1);
  tally.updated(performance.now());
  expect(tally.total.compute, 'the next step begins anew').toBe(7);
});

test('threads that take whole steps count by their mean', () => {
  const tally = new PhaseTally();
  const before = { ...NO_TIME, gather: 2, compute: 1, reduce: 1, update: 1 };
  tally.leased(before, { ...before, gather: 6, compute: 9, reduce: 3, update: 3 }, 4);
  expect(tally.total).toEqual({ ...NO_TIME, gather: 1, compute: 2, reduce: 0.5, update: 0.5 });
  tally.leased(NO_TIME, { ...NO_TIME, compute: 4 }, 4);
  expect(tally.total.compute).toBe(3);
});

test('what the coordinator does itself is measured', () => {
  const tally = new PhaseTally();
  const since = performance.now() - 1_000;
  tally.reduced(since);
  tally.updated(since);
  tally.broadcast(since);
  expect(tally.total.broadcast).toBeGreaterThanOrEqual(1);
  expect(tally.total.reduce).toBeGreaterThanOrEqual(1);
  expect(tally.total.update).toBeGreaterThanOrEqual(1);
  expect(tally.total.compute).toBe(0);
});
