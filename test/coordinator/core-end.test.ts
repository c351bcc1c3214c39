import { describe, expect, test } from 'vitest';
import { LOCAL } from '../../coordinator/core-messages.js';
import {
  CoreUnderTest,
  endless,
  evaluated,
  leased,
  left,
  piecesOf,
  save,
  silent,
  stop,
  updated,
} from './core-under-test.js';

const stopped = { type: 'finish', outcome: 'stopped' };

describe('the stop', () => {
  test('comes at once if nothing has begun', () => {
    const core = new CoreUnderTest({ startWith: 1, firstStep: 1 });
    core.join(LOCAL);
    expect(core.tell(stop)).toEqual([{ type: 'save', step: 1 }, stopped]);
    expect(core.join(1)).toEqual([]);
    expect(core.join(LOCAL)).toEqual([]);
  });

  test('comes after the step that is being computed', () => {
    const core = new CoreUnderTest();
    core.join(1);
    expect(core.tell(stop)).toEqual([]);
    expect(core.answer(1)).toMatchObject([{ type: 'reduce' }, { type: 'update', step: 0 }]);
    expect(core.tell(updated)).toEqual([{ type: 'save', step: 1 }, stopped]);
  });

  test('comes after the lease that is under way', () => {
    const core = new CoreUnderTest({ ...endless });
    core.join(LOCAL, { pace: 2 ** -13 });
    const { step, steps } = core.until('lease');
    expect(core.tell(stop)).toEqual([]);
    expect(core.tell(leased(steps))).toEqual([{ type: 'save', step: step + steps }, stopped]);
  });

  test('comes after the update that is under way', () => {
    const core = new CoreUnderTest();
    core.join(1);
    core.answer(1);
    expect(core.tell(stop)).toEqual([]);
    expect(core.tell(updated)).toEqual([{ type: 'save', step: 1 }, stopped]);
  });

  test('comes after the evaluation that is under way', () => {
    const core = new CoreUnderTest();
    core.join(LOCAL);
    core.tell(leased(1), leased(1));
    expect(core.tell(stop)).toEqual([]);
    expect(core.tell(evaluated)).toEqual([{ type: 'save', step: 2 }, stopped]);
  });

  test('comes after the evaluation that the step brings with it', () => {
    const core = new CoreUnderTest();
    core.join(LOCAL);
    core.tell(leased(1), stop);
    expect(core.tell(leased(1))).toEqual([{ type: 'evaluate', epoch: 0 }]);
    expect(core.tell(evaluated)).toEqual([{ type: 'save', step: 2 }, stopped]);
  });

  test('leaves a run complete that has taken its last step', () => {
    const core = new CoreUnderTest({ totalSteps: 1 });
    core.join(LOCAL);
    core.tell(stop, leased(1));
    expect(core.tell(evaluated).at(-1)).toEqual({ type: 'finish', outcome: 'complete' });
  });

  test('leaves a run complete that had taken all its steps before', () => {
    const core = new CoreUnderTest({ firstStep: 4 });
    expect(core.tell(stop).at(-1)).toEqual({ type: 'finish', outcome: 'complete' });
  });

  test.each([
    ['has left', left],
    ['is lost', silent],
  ])('comes at once if everybody %s who could end the step', (_, gone) => {
    const core = new CoreUnderTest();
    core.join(1);
    core.tell(gone(1));
    expect(core.tell(stop)).toEqual([{ type: 'save', step: 0 }, stopped]);
  });

  test.each([
    ['leaves', left],
    ['is lost', silent],
  ])('comes when the last member %s, who was to end the step', (_, gone) => {
    const core = new CoreUnderTest();
    core.join(1);
    core.tell(stop);
    expect(core.tell(gone(1))).toContainEqual(stopped);
  });

  test('comes when the last member is stuck, who was to end the step', () => {
    const core = new CoreUnderTest();
    core.join(1);
    core.tell(stop);
    expect(core.advance(100)).toEqual([
      { type: 'lost', member: 1, why: 'stuck' },
      { type: 'save', step: 0 },
      stopped,
    ]);
  });

  test('does not come because everybody leaves during an update', () => {
    const core = new CoreUnderTest();
    core.join(1);
    core.answer(1);
    expect(core.tell(stop, left(1))).toEqual([]);
    expect(core.tell(updated).at(-1)).toEqual(stopped);
  });

  test('may be asked for more than once', () => {
    const core = new CoreUnderTest();
    core.join(1);
    expect(core.tell(stop, stop)).toEqual([]);
    core.answer(1);
    expect(core.tell(updated, stop, stop)).toHaveLength(2);
  });
});

describe('the end', () => {
  test('comes after the last step, its evaluation and its checkpoint', () => {
    const core = new CoreUnderTest({ totalSteps: 3 });
    core.join(LOCAL);
    core.tell(leased(1), leased(1), evaluated);
    expect(core.tell(leased(1))).toEqual([{ type: 'evaluate', epoch: 1 }]);
    expect(core.tell(evaluated)).toEqual([
      { type: 'save', step: 3 },
      { type: 'finish', outcome: 'complete' },
    ]);
  });

  test('comes with an update that is not finite, and names its step', () => {
    const core = new CoreUnderTest({ startWith: 1 });
    core.join(LOCAL);
    core.join(1);
    core.answer(LOCAL, 1);
    const commands = core.tell({ type: 'updated', finite: false });
    expect(commands).toEqual([{ type: 'finish', outcome: 'notFinite' }]);
    expect(core.step).toBe(0);
  });

  test('comes with a lease that is not finite, and names its last step', () => {
    const core = new CoreUnderTest({ ...endless });
    core.join(LOCAL, { pace: 2 ** -13 });
    const { step } = core.until('lease');
    expect(core.tell(leased(7, false))).toEqual([{ type: 'finish', outcome: 'notFinite' }]);
    expect(core.step).toBe(step + 6);
  });

  test('leaves the answer to a probe what it was', () => {
    const core = new CoreUnderTest({ ...endless, totalSteps: 2 });
    core.join(LOCAL);
    core.join(1);
    core.now += 1;
    core.tell(leased(1));
    expect(core.workOf(1).probe).toBe(true);
    core.answer(LOCAL);
    core.tell(updated, evaluated);
    expect(core.answer(1)).toMatchObject([{ type: 'discard', why: 'probe' }]);
  });

  test('leaves late answers to be discarded, and nothing else to be done', () => {
    const core = new CoreUnderTest({ ...endless, totalSteps: 1, startWith: 2 });
    core.join(1);
    core.join(2);
    core.advance(2);
    core.answer(1);
    core.advance(2);
    core.answer(1);
    core.tell(updated, evaluated);
    expect(core.answer(2)).toEqual([
      { type: 'discard', member: 2, pieces: piecesOf(2, 0, { first: 4, last: 8 }), why: 'late' },
    ]);
    const events = [left(1), stop, save, updated, leased(1), evaluated, { type: 'timer' } as const];
    expect(core.tell(...events)).toEqual([]);
    expect(core.join(3)).toEqual([]);
    expect(core.timerAt).toBeUndefined();
  });
});
