import { describe, expect, test } from 'vitest';
import { LOCAL } from '../../coordinator/core-messages.js';
import { limits } from '../../src/protocol/protocol.js';
import { all, CoreUnderTest, endless, evaluated, leased, left, PACE } from './core-under-test.js';

const FAST = 2 ** -13;

describe('local threads without workers', () => {
  test('take a step to see how fast they are, then as many as go in a tenth of a second', () => {
    const core = new CoreUnderTest({ ...endless });
    expect(core.join(LOCAL, { pace: FAST })).toEqual([{ type: 'lease', step: 0, steps: 1 }]);
    const steps = Math.floor(0.1 / (8 * FAST));
    expect(core.advance(8 * FAST)).toEqual([{ type: 'lease', step: 1, steps }]);
    expect(core.until('lease')).toEqual({ type: 'lease', step: 1 + steps, steps });
  });

  test('take one step at a time if it is a long one', () => {
    const core = new CoreUnderTest({ ...endless });
    core.join(LOCAL, {});
    expect(core.until('lease').steps).toBe(1);
    expect(core.until('lease').steps).toBe(1);
  });

  test.each([
    ['the longest lease', { ...endless, longestLease: 3 }, 3],
    ['the end of the run', { ...endless, totalSteps: 6 }, 5],
    ['the end of the epoch', { plan: { samples: 64 * 5, batch: 64 }, totalSteps: 100 }, 4],
    ['the next checkpoint', { ...endless, saveEvery: { steps: 3 } }, 2],
  ])('take no more steps than up to %s', (_, options, steps) => {
    const core = new CoreUnderTest(options);
    core.join(LOCAL, { pace: FAST });
    expect(core.until('lease')).toEqual({ type: 'lease', step: 1, steps });
  });

  test('count what a lease has really taken', () => {
    const core = new CoreUnderTest({ plan: { samples: 64 * 100, batch: 64 }, totalSteps: 200 });
    core.join(LOCAL, { pace: FAST });
    core.until('lease');
    const commands = core.tell(leased(7));
    expect(core.step).toBe(8);
    expect(commands).toMatchObject([{ type: 'lease', step: 8 }]);
  });

  test('wait for the evaluation of the epoch', () => {
    const core = new CoreUnderTest();
    core.join(LOCAL);
    expect(core.tell(leased(1), leased(1)).at(-1)).toEqual({ type: 'evaluate', epoch: 0 });
    expect(core.tell(evaluated).at(-1)).toMatchObject({ type: 'lease', step: 2 });
  });
});

describe('local threads beside workers', () => {
  test('share the first step with a worker that joined before it', () => {
    const core = new CoreUnderTest({ startWith: 1 });
    core.join(LOCAL);
    core.join(1);
    expect(core.shares).toEqual({ [LOCAL]: '0-4', 1: '4-8' });
  });

  test('take a step themselves to see how fast a newcomer is, and share the next one', () => {
    const core = new CoreUnderTest({ ...endless });
    core.join(LOCAL, {});
    expect(core.join(1, {})).toEqual([]);
    const whole = { step: 1, range: { first: 0, last: 8 }, probe: false };
    expect(core.until('assign')).toEqual({ type: 'assign', member: LOCAL, ...whole });
    expect(core.workOf(1)).toMatchObject({ step: 1, probe: true });
    core.until('sendWeights', ({ step }) => step === 2);
    expect(core.shares).toEqual({ [LOCAL]: '0-4', 1: '4-8' });
  });

  test('share every step with a worker that makes it shorter', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 1 });
    core.join(LOCAL, {});
    core.join(1, {});
    const commands = core.advance(100);
    expect(all(commands, 'lease')).toEqual([]);
    expect(all(commands, 'update').length).toBeGreaterThan(1_000);
  });

  test('take steps alone if the worker is too far away, and probe it now and then', () => {
    const core = new CoreUnderTest({ ...endless });
    core.join(LOCAL, { pace: FAST });
    core.join(1, { pace: FAST, link: 0.05 });
    const commands = core.advance(100);
    const probes = all(commands, 'assign').filter(({ probe }) => probe);
    expect(probes.length).toBeGreaterThanOrEqual(6);
    expect(probes.length).toBeLessThan(10);
    expect(all(commands, 'reduce').every(({ pieces }) => pieces.startsWith('0:'))).toBe(true);
    const steps = all(commands, 'lease').reduce((sum, lease) => sum + lease.steps, 0);
    expect(steps * 8 * FAST).toBeGreaterThan(99);
  });

  test('take steps alone if to send and gather costs more than the worker saves', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 1 });
    core.updateSeconds = 5 * PACE;
    core.join(LOCAL, {});
    core.join(1, {});
    // The first step shows how fast each is, the second what it costs beside that.
    const { step } = core.until('lease');
    expect(step).toBe(2);
    const leases = all(core.advance(100), 'lease');
    expect(leases.length * 8 * PACE).toBeGreaterThan(90);
  });

  test('take steps alone again if they were slow only at first', () => {
    const core = new CoreUnderTest({ ...endless });
    core.updateSeconds = 5 * PACE;
    core.join(LOCAL, { pace: 100 * PACE });
    core.until('lease');
    core.join(1, {});
    core.setSpeed(LOCAL, {});
    core.advance(30);
    const leases = all(core.advance(100), 'lease');
    expect(leases.length * 8 * PACE).toBeGreaterThan(90);
  });

  test('are probed, and work again, if a slow first share gave all the others to a worker', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 1 });
    core.join(LOCAL, { pace: 100 * PACE });
    core.join(1, {});
    core.until('sendWeights', ({ step }) => step === 2);
    expect(core.shares).toEqual({ 1: '0-8' });
    core.setSpeed(LOCAL, {});
    core.advance(30);
    core.until('update');
    core.until('sendWeights');
    expect(core.shares).toEqual({ [LOCAL]: '0-4', 1: '4-8' });
  });

  test('share steps if to send and gather costs less than the worker saves', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 1 });
    core.updateSeconds = 3 * PACE;
    core.join(LOCAL, {});
    core.join(1, {});
    core.advance(2);
    expect(all(core.advance(100), 'lease')).toEqual([]);
  });

  test('try now and then whether it has become cheaper, and share again if it has', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 1 });
    core.updateSeconds = 5 * PACE;
    core.join(LOCAL, {});
    core.join(1, {});
    core.advance(2);
    expect(all(core.advance(30), 'assign').map(({ member }) => member)).toContain(1);
    core.updateSeconds = 0;
    core.advance(limits.probe.longest);
    expect(all(core.advance(10), 'lease')).toEqual([]);
  });

  test('tell the worker that it is a spare, and what it costs', () => {
    const core = new CoreUnderTest({ ...endless });
    core.join(LOCAL, {});
    core.join(1, { link: 0.5 });
    const standing = core.until('standing');
    expect(standing).toEqual({
      type: 'standing',
      member: 1,
      spare: true,
      why: { of: 'step', withIt: 0.5 + PACE, withoutIt: 8 * PACE },
    });
  });

  test('take steps alone again once the last worker has left', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 1 });
    core.join(LOCAL, {});
    core.join(1, {});
    core.until('sendWeights', ({ step }) => step === 5);
    core.tell(left(1));
    core.until('update');
    expect(core.tell({ type: 'updated', finite: true })).toMatchObject([{ type: 'lease' }]);
  });
});
