import { describe, expect, test } from 'vitest';
import { LOCAL } from '../../coordinator/core-messages.js';
import {
  all,
  type Command,
  CoreUnderTest,
  endless,
  evaluated,
  leased,
  left,
  PACE,
  save,
  stop,
  updated,
} from './core-under-test.js';

function saves(commands: readonly Command[]): number[] {
  return all(commands, 'save').map(({ step }) => step);
}

function typesOf(commands: readonly Command[]): string[] {
  return commands.map(({ type }) => type);
}

describe('every so many steps', () => {
  test('there is a checkpoint of the steps that were taken', () => {
    const core = new CoreUnderTest({ ...endless, totalSteps: 12, saveEvery: { steps: 5 } });
    core.join(1, {});
    expect(saves(core.advance(100))).toEqual([5, 10, 12]);
  });

  test('also where the run goes on from another step', () => {
    const options = { ...endless, totalSteps: 12, firstStep: 3, saveEvery: { steps: 5 } };
    const core = new CoreUnderTest(options);
    core.join(1, {});
    expect(saves(core.advance(100))).toEqual([5, 10, 12]);
  });

  test('also where local threads could take more steps in one go', () => {
    const core = new CoreUnderTest({ ...endless, totalSteps: 22, saveEvery: { steps: 10 } });
    core.join(LOCAL, { pace: 2 ** -13 });
    expect(saves(core.advance(100))).toEqual([10, 20, 22]);
  });

  test('it comes between the update and the weights of the next step', () => {
    const core = new CoreUnderTest({ ...endless, saveEvery: { steps: 1 } });
    core.join(1);
    core.answer(1);
    expect(typesOf(core.tell(updated))).toEqual(['save', 'sendWeights', 'assign']);
  });
});

describe('every so many seconds', () => {
  test('there is a checkpoint after the step that is under way then', () => {
    const core = new CoreUnderTest({ ...endless, saveEvery: { seconds: 1 } });
    core.join(1, { pace: 3 * PACE });
    // A step takes 0.375 s.
    expect(saves(core.advance(4))).toEqual([3, 6, 9]);
  });

  test('counted from the start, not from when the coordinator began to wait for workers', () => {
    const core = new CoreUnderTest({ ...endless, saveEvery: { seconds: 1 } });
    core.now = 1000;
    core.join(1, { pace: 3 * PACE });
    expect(saves(core.advance(1))).toEqual([]);
    expect(saves(core.advance(1))).toEqual([3]);
  });

  test('and from the last checkpoint, whatever it was made for', () => {
    const plan = { samples: 64 * 4, batch: 64 };
    const core = new CoreUnderTest({ plan, totalSteps: 8, saveEvery: { seconds: 1 } });
    core.join(1, { pace: 3 * PACE });
    expect(saves(core.advance(100))).toEqual([3, 4, 7, 8]);
  });

  test('also while local threads take steps alone', () => {
    const core = new CoreUnderTest({ ...endless, saveEvery: { seconds: 1 } });
    core.join(LOCAL, { pace: 2 ** -13 });
    const count = saves(core.advance(100)).length;
    expect(count).toBeGreaterThan(90);
    expect(count).toBeLessThanOrEqual(100);
  });
});

describe('after each epoch', () => {
  test('there is a checkpoint once it is evaluated, not before', () => {
    const core = new CoreUnderTest();
    core.join(LOCAL);
    expect(typesOf(core.tell(leased(1), leased(1)))).toEqual(['lease', 'evaluate']);
    expect(core.tell(evaluated)).toMatchObject([
      { type: 'save', step: 2 },
      { type: 'lease', step: 2 },
    ]);
  });

  test('there is one, and not two where the steps would have it too', () => {
    const core = new CoreUnderTest({ saveEvery: { steps: 2 } });
    core.join(1, {});
    expect(saves(core.advance(100))).toEqual([2, 4]);
  });
});

describe('on demand', () => {
  test('while workers are waited for: at once', () => {
    const core = new CoreUnderTest({ startWith: 1, firstStep: 3 });
    core.join(LOCAL);
    expect(core.tell(save)).toEqual([{ type: 'save', step: 3 }]);
  });

  test('in the middle of a step: at once, since the weights are at rest', () => {
    const core = new CoreUnderTest();
    core.join(1);
    core.answer(1);
    core.tell(updated);
    expect(core.tell(save)).toEqual([{ type: 'save', step: 1 }]);
  });

  test('during a lease: after it', () => {
    const core = new CoreUnderTest();
    core.join(LOCAL);
    expect(core.tell(save)).toEqual([]);
    expect(typesOf(core.tell(leased(1)))).toEqual(['save', 'lease']);
  });

  test('during an update: after it', () => {
    const core = new CoreUnderTest();
    core.join(1);
    core.answer(1);
    expect(core.tell(save)).toEqual([]);
    expect(core.tell(updated)[0]).toEqual({ type: 'save', step: 1 });
  });

  test('during an evaluation: after it, and once', () => {
    const core = new CoreUnderTest();
    core.join(LOCAL);
    core.tell(leased(1), leased(1));
    expect(core.tell(save)).toEqual([]);
    expect(typesOf(core.tell(evaluated))).toEqual(['save', 'lease']);
    expect(typesOf(core.tell(leased(1)))).toEqual(['lease']);
  });

  test('while there is nobody to compute: at once', () => {
    const core = new CoreUnderTest();
    core.join(1);
    core.tell(left(1));
    expect(core.tell(save)).toEqual([{ type: 'save', step: 0 }]);
  });

  test('after the end: never', () => {
    const core = new CoreUnderTest({ totalSteps: 1 });
    core.join(LOCAL);
    core.tell(leased(1), evaluated);
    expect(core.tell(save)).toEqual([]);
  });

  test('in vain if the step turns out not to be finite', () => {
    const core = new CoreUnderTest();
    core.join(LOCAL);
    core.tell(save);
    expect(typesOf(core.tell(leased(1, false)))).toEqual(['finish']);
  });

  test('counts for the seconds to the next one', () => {
    const core = new CoreUnderTest({ ...endless, saveEvery: { seconds: 1 } });
    core.join(1, { pace: 3 * PACE });
    core.advance(0.9);
    core.tell(save);
    expect(saves(core.advance(1.5))).toEqual([6]);
  });
});

describe('one step', () => {
  test('is saved once, however often that is asked for', () => {
    const core = new CoreUnderTest();
    core.join(1);
    expect(saves(core.tell(save, save, save))).toEqual([0]);
    core.answer(1);
    core.tell(save, save);
    expect(saves(core.tell(updated, save))).toEqual([1]);
  });

  test('is not saved again by the stop', () => {
    const core = new CoreUnderTest();
    core.join(1);
    core.tell(save, left(1));
    expect(core.tell(stop)).toEqual([{ type: 'finish', outcome: 'stopped' }]);
  });

  test('is not saved again by the stop after an evaluation', () => {
    const core = new CoreUnderTest();
    core.join(LOCAL);
    core.tell(leased(1), leased(1), save, stop);
    expect(typesOf(core.tell(evaluated))).toEqual(['save', 'finish']);
  });
});
