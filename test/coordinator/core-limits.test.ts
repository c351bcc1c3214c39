import { describe, expect, test } from 'vitest';
import { LOCAL } from '../../coordinator/core-messages.js';
import type { Limits } from '../../coordinator/run-end.js';
import { all, CoreUnderTest, endless, leased, PACE, updated } from './core-under-test.js';

/** Seconds that writing takes at the end, and that steps therefore leave. */
const WRITING = 0.2;

const none: Limits = {
  deadline: Infinity,
  budget: null,
  targetAccuracy: null,
  evaluation: 0,
};

function coreWith(limits: Partial<Limits>, options = {}): CoreUnderTest {
  return new CoreUnderTest({ ...endless, limits: { ...none, ...limits }, ...options });
}

const timer = { type: 'timer' } as const;
const overdue = { type: 'finish', outcome: 'stopped', limit: 'deadline' };

describe('a deadline', () => {
  test('ends the run after the last step that is over in time, with a checkpoint', () => {
    const core = coreWith({ deadline: 10 });
    core.join(1, {});
    expect(core.until('finish')).toEqual(overdue);
    const step = 8 * PACE;
    expect(core.now).toBeLessThanOrEqual(10 - WRITING);
    expect(core.now).toBeGreaterThan(10 - WRITING - step);
    expect(core.step).toBe(Math.floor((10 - WRITING) / step));
  });

  test('leaves time for the last evaluation, which it has seen or can guess', () => {
    const core = coreWith({ deadline: 10, evaluation: 64 });
    core.join(LOCAL, { pace: PACE });
    expect(core.until('finish')).toEqual(overdue);
    expect(core.now).toBeLessThanOrEqual(10 - WRITING - 64 * PACE);
    expect(core.now).toBeGreaterThan(10 - WRITING - 64 * PACE - 8 * PACE);
  });

  test('is met by leases that are as long as there is time', () => {
    const pace = 2 ** -13;
    const core = coreWith({ deadline: 1 });
    core.join(LOCAL, { pace });
    expect(core.until('finish')).toEqual(overdue);
    expect(core.now).toBeLessThanOrEqual(1 - WRITING);
    expect(core.now).toBeGreaterThan(1 - WRITING - 2 * 8 * pace);
  });

  test('ends a step that nobody ends: its weights are those of the step before', () => {
    const core = coreWith({ deadline: 3 });
    core.join(1);
    core.answer(1);
    core.tell(updated);
    expect(core.advanceTo(2.5)).toEqual([]);
    expect(core.advanceTo(3)).toEqual([{ type: 'save', step: 1 }, overdue]);
  });

  test('ends a run that waits for workers', () => {
    const core = coreWith({ deadline: 3 }, { startWith: 1 });
    core.tell(timer);
    expect(core.advanceTo(3)).toEqual([{ type: 'save', step: 0 }, overdue]);
  });

  test('that has passed before the first step leaves nothing to do', () => {
    const core = coreWith({ deadline: 3 });
    core.now = 4;
    expect(core.join(LOCAL)).toEqual([{ type: 'save', step: 0 }, overdue]);
  });

  test('comes too late for a run that is complete', () => {
    const core = coreWith({ deadline: 1 }, { totalSteps: 1 });
    core.join(LOCAL);
    core.now = 2;
    core.tell(leased(1));
    expect(core.until('finish')).toEqual({ type: 'finish', outcome: 'complete' });
  });
});

describe('a budget', () => {
  /** Each second costs 1000, one that has begun counts; and each step so much for what is sent. */
  function budgetCore(budget: bigint, perStep = 0): CoreUnderTest {
    const core: CoreUnderTest = coreWith(
      { budget },
      {
        ledger: {
          watch: () => undefined,
          spent: (now: number, more = 0) =>
            BigInt(1000 * Math.ceil(now + more) + perStep * core.step),
        },
      },
    );
    return core;
  }
  const spent = { type: 'finish', outcome: 'stopped', limit: 'budget' };
  const step = 8 * PACE;

  test('ends the run after the last step that it pays for, with all that comes after it', () => {
    const core = budgetCore(5000n);
    core.join(1, {});
    expect(core.until('finish')).toEqual(spent);
    expect(core.now).toBeLessThanOrEqual(5 - WRITING);
    expect(core.now).toBeGreaterThan(5 - WRITING - step - 0.01);
  });

  test('is kept although what is sent only shows afterwards', () => {
    const core = budgetCore(5000n, 100);
    core.join(1, {});
    expect(core.until('finish')).toEqual(spent);
    const cost = 1000 * Math.ceil(core.now + WRITING) + 100 * core.step;
    expect(cost).toBeLessThanOrEqual(5000 + 100);
    expect(cost).toBeGreaterThan(3500);
  });

  test('ends a step that nobody ends', () => {
    const core = budgetCore(3000n);
    core.join(1);
    core.answer(1);
    core.tell(updated);
    expect(core.advanceTo(2.5)).toEqual([]);
    expect(core.advanceTo(3)).toEqual([{ type: 'save', step: 1 }, spent]);
  });

  test('ends a run that waits for more workers while the one that has come is paid', () => {
    let [paid, since] = [0, 0];
    const ledger = {
      watch: (event: { readonly type: string }, now: number) => {
        if (event.type !== 'joined') return;
        [paid, since] = [1000, now];
      },
      spent: (now: number, more = 0) => BigInt(Math.ceil(paid * (now + more - since))),
    };
    const core: CoreUnderTest = coreWith({ budget: 3000n }, { ledger, startWith: 2 });
    core.tell(timer);
    core.now = 50;
    core.join(1);
    expect(core.advanceTo(52.5)).toEqual([]);
    expect(core.advanceTo(53)).toEqual([{ type: 'save', step: 0 }, spent]);
  });

  test('that does not even pay for a second leaves nothing to do', () => {
    const core = budgetCore(999n);
    core.now = 0.5;
    expect(core.join(1)).toEqual([{ type: 'save', step: 0 }, spent]);
  });
});

describe('a target accuracy', () => {
  const evaluated = (accuracy: number) => ({ type: 'evaluated', accuracy }) as const;

  test('ends the run after the epoch that reaches it, with a checkpoint', () => {
    const core = coreWith(
      { targetAccuracy: 0.99 },
      { plan: { samples: 64, batch: 64 }, totalSteps: 9 },
    );
    core.join(LOCAL);
    core.tell(leased(1));
    expect(all(core.tell(evaluated(0.989)), 'finish')).toEqual([]);
    core.tell(leased(1));
    expect(core.tell(evaluated(0.99))).toEqual([
      { type: 'save', step: 2 },
      { type: 'finish', outcome: 'stopped', limit: 'targetAccuracy' },
    ]);
  });

  test('that is reached with the last step leaves the run complete', () => {
    const core = coreWith({ targetAccuracy: 0.5 }, { totalSteps: 1 });
    core.join(LOCAL);
    core.tell(leased(1));
    expect(core.tell(evaluated(1)).at(-1)).toEqual({ type: 'finish', outcome: 'complete' });
  });
});
