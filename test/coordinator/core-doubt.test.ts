import { describe, expect, test } from 'vitest';
import { LOCAL } from '../../coordinator/core-messages.js';
import {
  all,
  type Command,
  CoreUnderTest,
  endless,
  type Event,
  given,
  left,
  PACE,
  silent,
  stop,
  updated,
} from './core-under-test.js';

/** Members 1 and 2 begin step 1. */
function twoMembers(): CoreUnderTest {
  const core = new CoreUnderTest({ ...endless, startWith: 2 });
  core.join(1, {});
  core.join(2, {});
  core.until('sendWeights', ({ step }) => step === 1);
  core.hold(1, 2);
  return core;
}

/** Member 2's answer is not finite. */
function doubted(core = twoMembers()): CoreUnderTest {
  core.tell(core.answerOf(2, { finite: false }));
  return core;
}

/** The coordinator's own pieces of the range that was to be checked. */
function checked(finite: boolean, other: Partial<Event & { type: 'checked' }> = {}): Event {
  const range = { first: 4, last: 8 };
  return { type: 'checked', member: 2, step: 1, range, pieces: 'own', finite, ...other };
}

function typesOf(commands: readonly Command[]): string[] {
  return commands.map(({ type }) => type);
}

describe('an answer that is not finite', () => {
  test('is not used, and the coordinator computes the range itself', () => {
    const core = twoMembers();
    expect(core.tell(core.answerOf(2, { finite: false }))).toEqual([
      { type: 'discard', member: 2, pieces: '2: 4-8 of 1', why: 'doubtful' },
      { type: 'check', member: 2, step: 1, range: { first: 4, last: 8 } },
    ]);
  });

  test('leaves its range to nobody else meanwhile', () => {
    const core = doubted();
    expect(core.answer(1)).toMatchObject([{ type: 'reduce' }]);
    expect(given(core.advance(0.5))).toEqual({});
    expect(given(core.join(3))).toEqual({ 3: '0-1' });
  });

  test('of a probe, or for a step that is over, is not worth a check', () => {
    const core = twoMembers();
    core.tell(left(1));
    core.answer(2);
    core.setSpeed(2, {});
    core.join(3);
    expect(core.workOf(3).probe).toBe(true);
    const probe = core.tell(core.answerOf(3, { finite: false }));
    expect(all(probe, 'check')).toEqual([]);
    core.hold(2);
    core.advance(1);
    core.answer(3);
    const late = core.tell(core.answerOf(2, { finite: false }));
    expect(late[0]).toMatchObject({ type: 'discard', why: 'late' });
    expect(all(late, 'check')).toEqual([]);
  });

  test('that nobody asked for is not worth a check', () => {
    const core = twoMembers();
    const answer = { ...core.answerOf(2, { finite: false }), step: 2 };
    expect(core.tell(answer)).toMatchObject([{ type: 'discard', why: 'unasked' }]);
  });

  test('of the local threads is looked at when the step is over, not before', () => {
    const core = new CoreUnderTest({ startWith: 1 });
    core.join(LOCAL);
    core.join(1);
    const answer = core.answerOf(LOCAL, { finite: false });
    expect(core.tell(answer)).toMatchObject([{ type: 'reduce' }]);
  });
});

describe('where the check finds the range finite', () => {
  test('its sender is expelled, and the own pieces count', () => {
    const core = doubted();
    expect(core.tell(checked(true))).toEqual([
      { type: 'reduce', member: LOCAL, range: { first: 4, last: 8 }, pieces: 'own' },
      { type: 'expel', member: 2 },
    ]);
    expect(core.answer(1)).toMatchObject([{ type: 'reduce' }, { type: 'update', step: 1 }]);
    expect(given(core.tell(updated))).toEqual({ 1: '0-8' });
  });

  test('the step ends with it if it was all that was open', () => {
    const core = doubted();
    core.answer(1);
    expect(typesOf(core.tell(checked(true)))).toEqual(['reduce', 'expel', 'update']);
  });

  test('what its sender was at meanwhile is given to others', () => {
    const core = twoMembers();
    core.tell(left(1));
    core.tell(core.answerOf(2, { finite: false }));
    expect(core.workOf(2).range).toEqual({ first: 0, last: 4 });
    expect(typesOf(core.tell(checked(true)))).toEqual(['reduce', 'expel', 'wait']);
    expect(given(core.join(3))).toEqual({ 3: '0-4' });
  });

  test('its sender is not expelled if it has left', () => {
    const core = doubted();
    core.tell(left(2));
    expect(typesOf(core.tell(checked(true)))).toEqual(['reduce']);
  });

  test('every liar is found, also when two lie about the same range', () => {
    const core = twoMembers();
    core.answer(1);
    core.advance(1);
    expect(core.workOf(1).range).toEqual({ first: 4, last: 8 });
    core.tell(core.answerOf(1, { finite: false }), core.answerOf(2, { finite: false }));
    const first = core.tell(checked(true, { member: 1 }));
    expect(typesOf(first)).toEqual(['reduce', 'expel', 'update']);
    const second = core.tell(checked(true, { pieces: 'own again' }));
    expect(typesOf(second)).toEqual(['discard', 'expel']);
  });
});

describe('where the check finds the range not finite', () => {
  test('the run ends', () => {
    const core = doubted();
    expect(core.tell(checked(false))).toEqual([
      { type: 'discard', member: LOCAL, pieces: 'own', why: 'doubtful' },
      { type: 'finish', outcome: 'notFinite' },
    ]);
    expect(core.step).toBe(1);
  });

  test('a second check that comes after the end is discarded, and nothing more is done', () => {
    const core = twoMembers();
    core.tell(core.answerOf(1, { finite: false }), core.answerOf(2, { finite: false }));
    core.tell(checked(false));
    const other = checked(true, { member: 1, range: { first: 0, last: 4 } });
    expect(core.tell(other)).toMatchObject([{ type: 'discard', member: LOCAL }]);
  });
});

describe('where the step has ended meanwhile, since a straggler had the range too', () => {
  /** Member 1 lies about the range that member 2 was late with; then member 2 answers. */
  function outrun(): CoreUnderTest {
    const core = twoMembers();
    core.answer(1);
    core.advance(1);
    core.tell(core.answerOf(1, { finite: false }));
    expect(typesOf(core.answer(2))).toEqual(['reduce', 'update']);
    return core;
  }
  const other = { member: 1 };

  test('nothing counts twice, but the liar is expelled', () => {
    const core = outrun();
    expect(typesOf(core.tell(checked(true, other)))).toEqual(['discard', 'expel']);
    expect(given(core.tell(updated))).toEqual({ 2: '0-8' });
  });

  test('in the next step neither', () => {
    const core = outrun();
    core.tell(updated);
    expect(typesOf(core.tell(checked(true, other)))).toEqual(['discard', 'expel']);
    core.answer(2);
    expect(core.workOf(2)).toMatchObject({ step: 2, range: { first: 0 } });
  });

  test('what was computed with other weights does not end the run', () => {
    const core = outrun();
    core.tell(updated);
    expect(typesOf(core.tell(checked(false, other)))).toEqual(['discard']);
    expect(core.step).toBe(2);
  });

  test('the own pieces are of no use if a part of the range is counted', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 3 });
    for (const member of [1, 2, 3]) core.join(member, {});
    core.until('sendWeights', ({ step }) => step === 1);
    core.hold(1, 2, 3);
    core.answer(1, 2);
    core.advance(4 * PACE + 0.06);
    const range = core.workOf(3).range;
    core.tell(core.answerOf(3, { finite: false }));
    expect(all(core.answer(1), 'reduce')).toHaveLength(1);
    const after = core.tell(checked(true, { member: 3, range }));
    expect(typesOf(after)).toEqual(['discard', 'expel']);
    expect(typesOf(core.answer(2))).toEqual(['reduce', 'update']);
  });
});

describe('when the run is to stop while a check is under way', () => {
  test('the step ends before it does', () => {
    const core = doubted();
    core.tell(stop);
    core.answer(1);
    expect(typesOf(core.tell(checked(true)))).toEqual(['reduce', 'expel', 'update']);
    expect(typesOf(core.tell(updated))).toEqual(['save', 'finish']);
  });

  test('it stops at once if the liar was the last one, and more is open', () => {
    const core = doubted();
    core.tell(left(1), stop);
    expect(typesOf(core.tell(checked(true)))).toEqual(['reduce', 'expel', 'save', 'finish']);
  });

  test('it stops at once when everybody is lost, and the check is not waited for', () => {
    const core = doubted();
    core.tell(stop, silent(1));
    expect(typesOf(core.tell(silent(2)))).toEqual(['lost', 'save', 'finish']);
    expect(typesOf(core.tell(checked(true)))).toEqual(['discard']);
  });
});
