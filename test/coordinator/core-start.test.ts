import { describe, expect, test } from 'vitest';
import { LOCAL } from '../../coordinator/core-messages.js';
import { all, CoreUnderTest, given, heard, left, silent, updated } from './core-under-test.js';

const whole = { first: 0, last: 8 };

describe('the start', () => {
  test('waits for the workers that it should start with, local threads not counted', () => {
    const core = new CoreUnderTest({ startWith: 2 });
    expect(core.join(LOCAL)).toEqual([{ type: 'wait' }]);
    expect(core.join(1)).toEqual([{ type: 'wait' }]);
    expect(core.tell(left(1))).toEqual([]);
    expect(core.join(2)).toEqual([{ type: 'wait' }]);
    expect(Object.keys(given(core.join(3)))).toEqual(['0', '2', '3']);
  });

  test('waits for a worker that has fallen silent to be heard again', () => {
    const core = new CoreUnderTest({ startWith: 2 });
    core.join(1);
    expect(core.tell(silent(1))).toEqual([{ type: 'lost', member: 1, why: 'silent' }]);
    expect(core.join(2)).toEqual([{ type: 'wait' }]);
    const commands = core.tell(heard(1));
    expect(commands[0]).toEqual({ type: 'back', member: 1 });
    expect(given(commands)).toEqual({ 1: '0-4', 2: '4-8' });
  });

  test('comes with the first worker if it should start with none', () => {
    expect(new CoreUnderTest().join(1)).toEqual([
      { type: 'sendWeights', step: 0, members: [1] },
      { type: 'assign', member: 1, step: 0, range: whole, probe: false },
    ]);
  });

  test('counts on each thread to do the same until it has been seen', () => {
    const core = new CoreUnderTest({ startWith: 2 });
    core.join(1, {}, 2);
    expect(given(core.join(2, {}, 6))).toEqual({ 1: '0-2', 2: '2-8' });
  });

  test('is where the run before was left', () => {
    const core = new CoreUnderTest({ firstStep: 3 });
    expect(core.step).toBe(3);
    expect(core.join(1)).toEqual([
      { type: 'sendWeights', step: 3, members: [1] },
      { type: 'assign', member: 1, step: 3, range: whole, probe: false },
    ]);
    core.answer(1);
    expect(core.tell(updated)).toEqual([{ type: 'evaluate', epoch: 1 }]);
  });
});

describe('a step', () => {
  test('has as many micro-batches as its batch', () => {
    const core = new CoreUnderTest({ plan: { samples: 64 + 17, batch: 64 } });
    core.join(1);
    core.answer(1);
    expect(given(core.tell(updated))).toEqual({ 1: '0-3' });
  });

  test('is updated once all of it is there, and then comes the next one', () => {
    const core = new CoreUnderTest({ startWith: 2 });
    core.join(1);
    core.join(2);
    const pieces = ['2: 4-8 of 0', '1: 0-4 of 0'];
    expect(core.answer(2)).toEqual([
      { type: 'reduce', member: 2, range: { first: 4, last: 8 }, pieces: pieces[0] },
    ]);
    expect(core.answer(1)).toEqual([
      { type: 'reduce', member: 1, range: { first: 0, last: 4 }, pieces: pieces[1] },
      { type: 'update', step: 0 },
    ]);
    const commands = core.tell(updated);
    expect(commands[0]).toEqual({ type: 'sendWeights', step: 1, members: [1, 2] });
    expect(all(commands, 'assign').map(({ step }) => step)).toEqual([1, 1]);
    expect(core.step).toBe(1);
  });

  test('sends nobody the same weights twice', () => {
    const core = new CoreUnderTest({ startWith: 2 });
    core.join(1);
    core.join(2);
    core.tell(left(1));
    expect(core.answer(2)).toEqual([
      { type: 'reduce', member: 2, range: { first: 4, last: 8 }, pieces: '2: 4-8 of 0' },
      { type: 'assign', member: 2, step: 0, range: { first: 0, last: 4 }, probe: false },
    ]);
  });

  test('counts an answer once, and only what was asked of whom was asked', () => {
    const core = new CoreUnderTest({ startWith: 2 });
    core.join(1);
    core.join(2);
    const answer = core.answerOf(1);
    for (const wrong of [
      { ...answer, member: 2 },
      { ...answer, member: 3 },
      { ...answer, step: 1 },
      { ...answer, range: { first: 0, last: 3 } },
      { ...answer, range: { first: 1, last: 4 } },
      { ...answer, member: 2, finite: false },
    ]) {
      const { member, pieces } = wrong;
      expect(core.tell(wrong)).toEqual([{ type: 'discard', member, pieces, why: 'unasked' }]);
    }
    expect(core.tell(answer)).toMatchObject([{ type: 'reduce' }]);
    expect(core.tell(answer)).toMatchObject([{ type: 'discard', why: 'unasked' }]);
  });
});
