import { describe, expect, test } from 'vitest';
import { limits } from '../../src/protocol/protocol.js';
import { all, type Command, CoreUnderTest, endless, given, PACE } from './core-under-test.js';

/** Less than any time that matters. */
const MOMENT = 1e-6;
const { late } = limits;

/** Members 1 to `count`, each as fast as measured, begin step 1. */
function measured(count: number, { link = 0, pace = PACE } = {}): CoreUnderTest {
  const core = new CoreUnderTest({ ...endless, startWith: count });
  for (let member = 1; member <= count; member++) core.join(member, { link, pace });
  core.until('sendWeights', ({ step }) => step === 1);
  return core;
}

function updates(commands: readonly Command[]): number {
  return all(commands, 'update').length;
}

describe('a range', () => {
  test('is late after twice its prediction and 50 ms: then an idle member gets it too', () => {
    const core = measured(2, { link: 3 * PACE });
    core.hold(2);
    const since = core.now;
    const lateAt = since + late.factor * (3 + 4) * PACE + late.slack;
    expect(given(core.advanceTo(lateAt - MOMENT))).toEqual({});
    expect(given(core.advanceTo(lateAt + MOMENT))).toEqual({ 1: '4-8' });
    expect(core.workOf(1)).toMatchObject({ step: 1, probe: false });
  });

  test('is late to the moment, not after it', () => {
    const core = measured(2);
    core.hold(2);
    core.advance(4 * PACE);
    core.now = core.timerAt ?? NaN;
    expect(given(core.tell({ type: 'timer' }))).toEqual({ 1: '4-8' });
  });

  test('is late after a second if nobody knows how fast its member is', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 2 });
    core.join(1, {});
    core.join(2);
    expect(given(core.advanceTo(late.unknown - MOMENT))).toEqual({});
    expect(given(core.advanceTo(late.unknown + MOMENT))).toEqual({ 1: '4-8' });
  });

  test('of a newcomer is predicted from what a thread does elsewhere', () => {
    const core = measured(2);
    core.hold(1, 2);
    core.tell({ type: 'left', member: 2 });
    core.join(3, undefined, 4);
    core.tell(core.answerOf(1, { seconds: PACE }));
    expect(core.timerAt).toBeCloseTo(core.now + (late.factor * 4 * PACE) / 4 + late.slack);
  });

  test('that is late goes to whoever becomes idle after that', () => {
    const core = measured(2);
    core.hold(1, 2);
    expect(given(core.advance(1))).toEqual({});
    expect(given(core.answer(1))).toEqual({ 1: '4-8' });
  });

  test('that is late is cut among several members', () => {
    const core = measured(4);
    core.hold(4);
    expect(given(core.advance(4 * PACE + late.slack + MOMENT))).toEqual({ 1: '6-7', 2: '7-8' });
  });

  test('that is late is not given to a second idle member as well', () => {
    const core = measured(3);
    core.hold(1, 2, 3);
    core.answer(1);
    expect(given(core.advance(4 * PACE + late.slack + MOMENT))).toEqual({ 1: '6-8' });
    expect(given(core.answer(2))).toEqual({});
  });

  test('that is late with everybody goes to a newcomer', () => {
    const core = measured(3);
    core.hold(2, 3);
    core.tell({ type: 'left', member: 3 });
    core.hold(1);
    const commands = core.answer(1);
    expect(given(commands)).toEqual({ 1: '6-8' });
    expect(given(core.advance(1))).toEqual({});
    expect(given(core.join(4, {}))).toEqual({ 4: '3-8' });
  });
});

describe('the first answer wins', () => {
  test('when it is the one of the idle member', () => {
    const core = measured(2);
    core.hold(2);
    core.advance(8 * PACE + late.slack + MOMENT);
    expect(core.until('reduce')).toMatchObject({ pieces: '1: 4-8 of 1' });
    expect(core.answer(2)).toEqual([
      { type: 'discard', member: 2, pieces: '2: 4-8 of 1', why: 'late' },
    ]);
  });

  test('when it is the one of the straggler', () => {
    const core = measured(2);
    core.hold(2);
    core.advance(8 * PACE + late.slack + MOMENT);
    core.hold(1);
    const straggler = core.answer(2);
    expect(straggler).toMatchObject([
      { type: 'reduce', pieces: '2: 4-8 of 1' },
      { type: 'update' },
    ]);
    expect(core.answer(1)).toEqual([
      { type: 'discard', member: 1, pieces: '1: 4-8 of 1', why: 'late' },
    ]);
  });

  test('when it is for a part of the range: the whole is then of no use', () => {
    const core = measured(3);
    core.hold(1, 2, 3);
    core.answer(1, 2);
    core.advance(4 * PACE + late.slack + MOMENT);
    expect([core.workOf(1).range, core.workOf(2).range]).toEqual([
      { first: 6, last: 7 },
      { first: 7, last: 8 },
    ]);
    expect(core.answer(1)).toMatchObject([{ type: 'reduce', pieces: '1: 6-7 of 1' }]);
    const [discarded, ...others] = core.answer(3);
    expect(discarded).toMatchObject({ type: 'discard', member: 3, why: 'late' });
    // The other part is with member 2, who is not late.
    expect(given(others)).toEqual({});
    const rest = core.answer(2);
    expect(rest).toMatchObject([{ type: 'reduce', pieces: '2: 7-8 of 1' }, { type: 'update' }]);
  });

  test('when it is for the whole range: the parts are then of no use', () => {
    const core = measured(3);
    core.hold(1, 2, 3);
    core.answer(1, 2);
    core.advance(1);
    expect(core.answer(3)).toMatchObject([
      { type: 'reduce', pieces: '3: 6-8 of 1' },
      { type: 'update' },
    ]);
    expect(core.answer(1, 2)).toMatchObject([{ why: 'late' }, { why: 'late' }]);
  });

  test('and local threads can be stragglers too', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 1 });
    core.join(0, {});
    core.join(1, {});
    core.until('sendWeights', ({ step }) => step === 1);
    core.hold(0);
    expect(given(core.advance(8 * PACE + late.slack + MOMENT))).toEqual({ 1: '0-4' });
    core.until('update');
    expect(core.answer(0)).toMatchObject([{ type: 'discard', member: 0, why: 'late' }]);
  });
});

describe('a member that is not done when its step is over', () => {
  /** Member 2 is still at its range of step 1 when step 2 begins. */
  function leftBehind(): CoreUnderTest {
    const core = measured(2);
    core.hold(2);
    core.until('sendWeights', ({ step }) => step === 2);
    return core;
  }

  test('goes on with it, and gets nothing of the next steps meanwhile', () => {
    const core = leftBehind();
    expect(core.workOf(2).step).toBe(1);
    expect(core.shares).toEqual({ 1: '0-8' });
    const commands = core.advance(2);
    expect(updates(commands)).toBeGreaterThan(10);
    expect(Object.keys(given(commands))).toEqual(['1']);
  });

  test('gets a share again once it has answered', () => {
    const core = leftBehind();
    core.advance(PACE);
    const answer = core.answerOf(2, { seconds: 10 * PACE });
    expect(core.tell(answer)).toMatchObject([{ type: 'discard', why: 'late' }]);
    core.until('sendWeights', ({ step }) => step === 3);
    expect(core.shares).toEqual({ 1: '0-4', 2: '4-8' });
  });

  test('and finds nobody else there leaves nobody for the next step', () => {
    const core = leftBehind();
    core.tell({ type: 'left', member: 1 });
    expect(given(core.answer(2))).toEqual({ 2: '0-8' });
  });

  test('is not called a spare for it', () => {
    const core = leftBehind();
    expect(all(core.advance(4), 'standing')).toEqual([]);
  });
});
