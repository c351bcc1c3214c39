import { describe, expect, test } from 'vitest';
import { limits } from '../../src/protocol/protocol.js';
import {
  CoreUnderTest,
  endless,
  evaluated,
  type Event,
  given,
  heard,
  PACE,
  updated,
} from './core-under-test.js';

/** Less than any time that matters. */
const MOMENT = 1e-6;
const timer: Event = { type: 'timer' };
const { late } = limits;

/** Members 1 and 2, each as fast as measured, begin step 1. */
function measured(): CoreUnderTest {
  const core = new CoreUnderTest({ ...endless, startWith: 2 });
  core.join(1, {});
  core.join(2, {});
  core.until('sendWeights', ({ step }) => step === 1);
  return core;
}

describe('the timer', () => {
  test('is set for the first range to be late, and only if that is sooner than it was', () => {
    const core = measured();
    const at = core.timerAt;
    expect(at).toBeCloseTo(core.now + late.factor * 4 * PACE + late.slack);
    core.until('reduce');
    expect(core.timerAt).toBe(at);
  });

  test('does no harm when it comes too early, and is set again', () => {
    const core = measured();
    core.hold(1, 2);
    const at = core.timerAt;
    for (let time = 0; time < 3; time++) {
      core.now += MOMENT;
      expect(core.tell(timer)).toEqual([]);
      expect(core.timerAt).toBe(at);
    }
  });

  test('may come late: what is late by then is given away', () => {
    const core = measured();
    core.hold(1, 2);
    core.answer(1);
    core.now += 3;
    expect(given(core.tell(timer))).toEqual({ 1: '4-8' });
  });

  test('does no harm when nobody has asked for it', () => {
    const core = new CoreUnderTest({ startWith: 1, totalSteps: 1 });
    expect(core.tell(timer)).toEqual([]);
    core.join(1);
    expect(core.tell(timer)).toEqual([]);
    core.answer(1);
    expect(core.tell(timer)).toEqual([]);
    core.tell(updated);
    expect(core.tell(timer)).toEqual([]);
    core.tell(evaluated);
    expect(core.tell(timer)).toEqual([]);
    expect(core.timerAt).toBeUndefined();
  });

  test('is not set while nobody has work', () => {
    const core = new CoreUnderTest();
    core.join(0);
    expect(core.timerAt).toBeUndefined();
  });

  test('does not wait for a clock that has gone back', () => {
    const core = measured();
    core.hold(1, 2);
    core.answer(1);
    core.now += 1;
    core.tell(heard(1));
    core.now -= 1;
    expect(given(core.tell(timer))).toEqual({ 1: '4-8' });
  });
});
