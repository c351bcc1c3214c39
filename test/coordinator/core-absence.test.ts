import { describe, expect, test } from 'vitest';
import { LOCAL } from '../../coordinator/core-messages.js';
import { limits } from '../../src/protocol/protocol.js';
import {
  type Command,
  CoreUnderTest,
  endless,
  given,
  heard,
  left,
  PACE,
  silent,
} from './core-under-test.js';

/** Less than any time that matters. */
const MOMENT = 1e-6;
const { stuck } = limits;

/** Members 1 and 2 begin step 1; only member 1 answers. */
function missingSecond({ pace = PACE } = {}): CoreUnderTest {
  const core = new CoreUnderTest({ ...endless, startWith: 2 });
  core.join(1, { pace });
  core.join(2, { pace });
  core.until('sendWeights', ({ step }) => step === 1);
  core.hold(2);
  return core;
}

function lost(commands: readonly Command[]): Command[] {
  return commands.filter(({ type }) => type === 'lost' || type === 'back');
}

describe('a member that leaves', () => {
  test('leaves its range to the others at once', () => {
    const core = missingSecond();
    core.until('reduce');
    expect(core.tell(left(2))).toMatchObject([{ type: 'assign', member: 1, step: 1 }]);
    expect(core.workOf(1).range).toEqual({ first: 4, last: 8 });
  });

  test('leaves it to whoever is idle next, if nobody is', () => {
    const core = missingSecond();
    expect(core.tell(left(2))).toEqual([]);
    core.until('reduce');
    expect(core.workOf(1).range).toEqual({ first: 4, last: 8 });
  });

  test('may leave twice, and its answer is unasked for then', () => {
    const core = missingSecond();
    const answer = core.answerOf(2);
    core.tell(left(2));
    expect(core.tell(left(2), left(7))).toEqual([]);
    expect(core.tell(answer)).toMatchObject([{ type: 'discard', why: 'unasked' }]);
  });

  test('and was the last one leaves the step to a newcomer', () => {
    const core = new CoreUnderTest();
    core.join(1);
    expect(core.tell(left(1))).toEqual([{ type: 'wait' }]);
    expect(core.join(2)).toEqual([
      { type: 'sendWeights', step: 0, members: [2] },
      { type: 'assign', member: 2, step: 0, range: { first: 0, last: 8 }, probe: false },
    ]);
  });
});

describe('a member that falls silent', () => {
  test('is lost, and its range is given away at once', () => {
    const core = missingSecond();
    core.until('reduce');
    const commands = core.tell(silent(2));
    expect(commands[0]).toEqual({ type: 'lost', member: 2, why: 'silent' });
    expect(given(commands)).toEqual({ 1: '4-8' });
  });

  test('is lost once, however often that is said', () => {
    const core = missingSecond();
    expect(core.tell(silent(2), silent(2))).toHaveLength(1);
  });

  test('is back when something is heard from it, and its answer still counts', () => {
    const core = missingSecond();
    core.until('reduce');
    core.tell(silent(2));
    expect(core.tell(heard(2))).toEqual([{ type: 'back', member: 2 }]);
    expect(core.answer(2)).toMatchObject([{ type: 'reduce', pieces: '2: 4-8 of 1' }, {}]);
  });

  test('that is back keeps its range if nobody else has it yet', () => {
    const core = missingSecond();
    core.tell(silent(2), heard(2));
    core.until('reduce');
    expect(core.workOf(1)).toMatchObject({ range: { first: 0, last: 4 } });
  });

  test('gets nothing until it is back, and then its share', () => {
    const core = missingSecond();
    core.answer(2);
    core.tell(silent(2));
    expect(Object.keys(given(core.advance(3)))).toEqual(['1']);
    expect(given(core.tell(heard(2)))).toEqual({ 2: '0-1' });
  });

  test('may be heard without having been silent', () => {
    const core = missingSecond();
    expect(core.tell(heard(1), heard(2), heard(3))).toEqual([]);
  });

  test('may leave then, and does not come back', () => {
    const core = missingSecond();
    core.tell(silent(2), left(2));
    expect(core.tell(heard(2), silent(2))).toEqual([]);
  });
});

describe('a member that answers pings but not its range', () => {
  test('is stuck after ten times its prediction, and lost', () => {
    const core = missingSecond({ pace: 12 * PACE });
    const stuckAt = core.now + stuck.factor * 4 * 12 * PACE;
    expect(lost(core.advanceTo(stuckAt - MOMENT))).toEqual([]);
    expect(lost(core.advanceTo(stuckAt + MOMENT))).toEqual([
      { type: 'lost', member: 2, why: 'stuck' },
    ]);
  });

  test('is stuck after 5 s at the soonest', () => {
    const core = missingSecond();
    const stuckAt = core.now + stuck.least;
    expect(lost(core.advanceTo(stuckAt - MOMENT))).toEqual([]);
    expect(lost(core.advanceTo(stuckAt + MOMENT))).toHaveLength(1);
  });

  test('is stuck after a minute if it has never answered', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 2 });
    core.join(1, {});
    core.join(2);
    expect(lost(core.advanceTo(stuck.unknown - MOMENT))).toEqual([]);
    expect(lost(core.advanceTo(stuck.unknown + MOMENT))).toEqual([
      { type: 'lost', member: 2, why: 'stuck' },
    ]);
  });

  test('is back once it answers, with a share of the next step', () => {
    const core = missingSecond();
    core.advance(2 * stuck.least);
    const commands = core.answer(2);
    expect(commands.slice(0, 2)).toMatchObject([
      { type: 'discard', why: 'late' },
      { type: 'back', member: 2 },
    ]);
    expect(core.step).toBeGreaterThan(10);
  });

  test('has its answer counted if it is still wanted', () => {
    const core = missingSecond();
    core.hold(1, 2);
    core.advance(stuck.least + MOMENT);
    expect(core.answer(2).slice(0, 2)).toMatchObject([
      { type: 'reduce', pieces: '2: 4-8 of 1' },
      { type: 'back', member: 2 },
    ]);
  });

  test('is not back before that, whatever is heard from it', () => {
    const core = missingSecond();
    core.advance(2 * stuck.least);
    expect(lost(core.tell(silent(2), heard(2)))).toEqual([]);
    expect(lost(core.answer(2))).toEqual([{ type: 'back', member: 2 }]);
  });

  test('is not back when it answers while it is silent', () => {
    const core = missingSecond();
    core.advance(2 * stuck.least);
    core.tell(silent(2));
    expect(lost(core.answer(2))).toEqual([]);
    expect(lost(core.tell(heard(2)))).toEqual([{ type: 'back', member: 2 }]);
  });

  test('cannot be the local threads: they are waited for', () => {
    const core = new CoreUnderTest({ ...endless, startWith: 1 });
    core.join(LOCAL);
    core.join(1);
    expect(lost(core.advance(10 * stuck.unknown))).toEqual([
      { type: 'lost', member: 1, why: 'stuck' },
    ]);
    expect(core.timerAt).toBeUndefined();
  });
});

describe('when everybody is lost', () => {
  /** Both members are silent in the middle of step 1. */
  function deserted(): CoreUnderTest {
    const core = missingSecond();
    core.hold(1);
    expect(core.tell(silent(1))).toMatchObject([{ type: 'lost' }]);
    expect(core.tell(silent(2))).toMatchObject([{ type: 'lost' }, { type: 'wait' }]);
    return core;
  }

  test('the run waits, and says so once', () => {
    const core = deserted();
    expect(core.advance(100)).toEqual([]);
    expect(core.tell(left(1))).toEqual([]);
  });

  test('it says so again if somebody was back in between', () => {
    const core = deserted();
    expect(core.tell(heard(1), silent(1))).toMatchObject([
      { type: 'back' },
      { type: 'lost' },
      { type: 'wait' },
    ]);
  });

  test('who is back goes on with the step', () => {
    const core = deserted();
    core.tell(heard(2));
    expect(given(core.answer(2))).toEqual({ 2: '0-4' });
    expect(core.answer(2)).toMatchObject([{ type: 'reduce' }, { type: 'update', step: 1 }]);
  });

  test('a newcomer gets all that is open', () => {
    const core = deserted();
    expect(given(core.join(3))).toEqual({ 3: '0-8' });
  });

  test('answers of the lost still count, and the step may end with nobody there', () => {
    const core = deserted();
    core.answer(1);
    expect(core.answer(2)).toMatchObject([{ type: 'reduce' }, { type: 'update', step: 1 }]);
    expect(core.tell({ type: 'updated', finite: true })).toEqual([]);
    expect(core.step).toBe(2);
    expect(given(core.tell(heard(1)))).toEqual({ 1: '0-8' });
  });
});
