import { describe, expect, test } from 'vitest';
import { limits } from '../../src/protocol/protocol.js';
import { all, CoreUnderTest, endless, PACE } from './core-under-test.js';

/** The shares with which a step begins. */
function shares(core: CoreUnderTest, step: number): Record<number, string> {
  core.until('sendWeights', (command) => command.step === step);
  return core.shares;
}

describe('shares follow', () => {
  test('how fast each member computes', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 2 });
    core.join(1, { pace: 3 * PACE });
    core.join(2, { pace: PACE });
    expect(shares(core, 1)).toEqual({ 1: '0-2', 2: '2-8' });
  });

  test('how long its link is', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 2 });
    core.join(1, { link: 4 * PACE });
    core.join(2, { link: 0 });
    expect(shares(core, 1)).toEqual({ 1: '0-2', 2: '2-8' });
  });

  test('what the local threads were measured to do, whatever they say', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 1 });
    core.join(0, { pace: 3 * PACE });
    core.hold(0);
    core.join(1, { pace: PACE });
    core.advance(4 * 3 * PACE);
    core.answer(0);
    expect(shares(core, 1)).toEqual({ 0: '0-2', 1: '2-8' });
  });

  test('what a member has done of late: a single slow answer changes nothing', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 2 });
    core.join(1, {});
    core.join(2, {});
    expect(shares(core, 5)).toEqual({ 1: '0-4', 2: '4-8' });
    core.setSpeed(2, { pace: 2 * PACE });
    expect(shares(core, 6)).toEqual({ 1: '0-4', 2: '4-8' });
    core.setSpeed(2, {});
    expect(shares(core, 7)).toEqual({ 1: '0-4', 2: '4-8' });
    core.setSpeed(2, { pace: 2 * PACE });
    expect(shares(core, 12)).toEqual({ 1: '0-6', 2: '6-8' });
  });

  test('the blocks of a large batch, which are also what a probe is', () => {
    const plan = { samples: 1024 * 1_000, batch: 1024 };
    const core = new CoreUnderTest({ plan, totalSteps: 1_000, startWith: 2 });
    core.join(1, { pace: PACE / 32 });
    core.join(2, { pace: PACE / 64 });
    expect(shares(core, 1)).toEqual({ 1: '0-32', 2: '32-128' });
    core.join(3);
    expect(core.workOf(3)).toMatchObject({ range: { first: 0, last: 8 }, probe: true });
  });

  test('no clock that is wrong, or a lie', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 2 });
    core.join(1);
    core.join(2);
    core.now = 4 * PACE;
    core.tell(core.answerOf(1, { seconds: 1e9 }), core.answerOf(2, { seconds: -1 }));
    expect(shares(core, 1)).toEqual({ 1: '0-4', 2: '4-8' });
  });
});

describe('a member with too long a link', () => {
  const link = 0.5;

  /** Member 1 is near, member 2 is far; time goes on to the first step in which that tells. */
  function nearAndFar(): CoreUnderTest {
    const core = new CoreUnderTest({ ...endless, startWith: 2 });
    core.join(1, {});
    core.join(2, { link });
    expect(shares(core, 1)).toEqual({ 1: '0-8' });
    return core;
  }

  test('gets no share, and after a second is told that it is a spare', () => {
    const core = nearAndFar();
    const since = core.now;
    const standing = core.until('standing');
    expect(standing).toEqual({
      type: 'standing',
      member: 2,
      spare: true,
      why: { of: 'step', withIt: link + PACE, withoutIt: 8 * PACE },
    });
    expect(core.now - since).toBeGreaterThanOrEqual(limits.spareAfter);
    expect(core.now - since).toBeLessThanOrEqual(limits.spareAfter + 2 * 8 * PACE);
    expect(all(core.advance(100), 'standing')).toEqual([]);
  });

  test('is probed after a second, and then ever more rarely', () => {
    const core = nearAndFar();
    let last = 0;
    for (const pause of [1, 1, 2, 4, 8, 16, 30, 30, 30]) {
      const probe = core.until('assign', (command) => command.member === 2);
      expect(probe).toMatchObject({ range: { first: 0, last: 1 }, probe: true });
      expect(core.now - last).toBeGreaterThanOrEqual(pause);
      expect(core.now - last).toBeLessThanOrEqual(pause + 8 * PACE);
      last = core.now;
      expect(core.until('discard')).toMatchObject({ member: 2, why: 'probe' });
    }
  });

  test('is told when it has a share again, and would be probed soon again', () => {
    const core = nearAndFar();
    core.until('standing');
    core.setSpeed(2, { link: 0 });
    expect(core.until('standing')).toMatchObject({ member: 2, spare: false });
    expect(core.workOf(2)).toMatchObject({ range: { first: 4, last: 8 }, probe: false });

    core.setSpeed(2, { link });
    core.until('discard', ({ why }) => why !== 'probe');
    core.until('assign', ({ member, probe }) => member === 2 && !probe);
    const used = core.now;
    core.until('assign', ({ member, probe }) => member === 2 && probe);
    expect(core.now - used).toBeLessThanOrEqual(limits.probe.first + link + 1);
  });

  test('gets all of it if it is alone', () => {
    const core = nearAndFar();
    core.tell({ type: 'left', member: 1 });
    expect(core.until('assign', ({ probe }) => !probe)).toMatchObject({ member: 2 });
  });
});

describe('a newcomer beside members whose speed is known', () => {
  test('is probed at once, and shares the next step', () => {
    const core = new CoreUnderTest({ ...endless });
    core.join(1, {});
    core.until('sendWeights', ({ step }) => step === 1);
    core.advance(PACE);
    expect(core.join(2, {})).toEqual([
      { type: 'sendWeights', step: 1, members: [2] },
      { type: 'assign', member: 2, step: 1, range: { first: 0, last: 1 }, probe: true },
    ]);
    expect(core.until('discard')).toEqual({
      type: 'discard',
      member: 2,
      pieces: '2: 0-1 of 1',
      why: 'probe',
    });
    expect(shares(core, 2)).toEqual({ 1: '0-4', 2: '4-8' });
  });

  test('is left out until it has answered its probe, whose step may be over by then', () => {
    const core = new CoreUnderTest({ ...endless });
    core.join(1, {});
    core.until('sendWeights', ({ step }) => step === 1);
    core.advance(7 * PACE);
    core.join(2);
    expect(shares(core, 2)).toEqual({ 1: '0-8' });
    core.advance(PACE);
    const answer = core.answerOf(2, { seconds: 2 * PACE });
    expect(answer.step).toBe(1);
    expect(core.tell(answer)).toMatchObject([{ type: 'discard', why: 'probe' }]);
    expect(shares(core, 3)).toEqual({ 1: '0-6', 2: '6-8' });
  });

  test('waits for the next step if nobody has been measured', () => {
    const core = new CoreUnderTest({ ...endless });
    core.join(1, {});
    expect(core.join(2, {})).toEqual([]);
    expect(core.until('sendWeights', ({ step }) => step === 1).members).toEqual([1]);
    expect(core.workOf(2)).toMatchObject({ step: 1, probe: true });
  });

  test('whose probe is not finite is believed no more than that: the probe is discarded', () => {
    const core = new CoreUnderTest({ ...endless });
    core.join(1, {});
    core.until('sendWeights', ({ step }) => step === 1);
    core.join(2);
    const answer = core.answerOf(2, { finite: false });
    expect(core.tell(answer)).toMatchObject([{ type: 'discard', why: 'probe' }]);
  });

  test('gets what is open if nobody else is idle', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 2 });
    core.join(1, {});
    core.join(2, {});
    core.until('sendWeights', ({ step }) => step === 1);
    core.hold(1, 2);
    core.tell({ type: 'left', member: 2 });
    expect(core.join(3)).toContainEqual({
      type: 'assign',
      member: 3,
      step: 1,
      range: { first: 4, last: 8 },
      probe: false,
    });
  });
});
