import { describe, expect, test } from 'vitest';
import { Core } from '../../coordinator/core.js';
import type { CoreCommand, CoreEvent } from '../../coordinator/core-messages.js';

const local = { threads: 2, local: true };
const remote = { threads: 1, local: false };
const LOCAL = 0;

/** A run of epochs of 2 steps, each of 8 micro-batches. */
function newCore({
  plan = { samples: 128, batch: 64 },
  totalSteps = 4,
  startWith = 0,
  longestLease = 256,
} = {}): Core<string> {
  return new Core<string>({ plan, totalSteps, startWith, longestLease });
}

function tell(core: Core<string>, ...events: CoreEvent<string>[]): CoreCommand<string>[] {
  return events.flatMap((event) => core.handle(event));
}

function joined(member: number, profile = remote): CoreEvent<string> {
  return { type: 'joined', member, profile };
}

function left(member: number): CoreEvent<string> {
  return { type: 'left', member };
}

function assignments(commands: readonly CoreCommand<string>[]) {
  return commands.filter((command) => command.type === 'assign');
}

/** The answers to all assignments, in their order. */
function answers(
  commands: readonly CoreCommand<string>[],
  secondsOf: (member: number) => number = () => 1,
): CoreEvent<string>[] {
  return assignments(commands).map(({ member, step, range }) => {
    const pieces = `${member}: ${range.first}-${range.last} of ${step}`;
    return { type: 'computed', member, step, range, pieces, seconds: secondsOf(member) };
  });
}

/** Steps, all finite, until `member` has been assigned something; its range, if it ever is. */
function rangeOf(commands: readonly CoreCommand<string>[], member: number): [number, number] {
  const found = assignments(commands).find((assignment) => assignment.member === member);
  return found ? [found.range.first, found.range.last] : [0, 0];
}

const updated: CoreEvent<string> = { type: 'updated', finite: true };
const leased = (steps: number): CoreEvent<string> => ({
  type: 'leased',
  steps,
  seconds: 1,
  finite: true,
});

describe('the start', () => {
  test('waits for the workers that it should start with, local threads not counted', () => {
    const core = newCore({ startWith: 2 });
    expect(tell(core, joined(LOCAL, local), joined(1))).toEqual([
      { type: 'wait' },
      { type: 'wait' },
    ]);
    const commands = tell(core, left(1), joined(2), joined(3));
    expect(assignments(commands).map(({ member }) => member)).toEqual([LOCAL, 2, 3]);
  });

  test('comes with the first worker if it should start with none', () => {
    expect(tell(newCore(), joined(1))).toEqual([
      { type: 'sendWeights', step: 0, members: [1] },
      { type: 'assign', member: 1, step: 0, range: { first: 0, last: 8 } },
    ]);
  });
});

describe('local threads', () => {
  test('take whole steps while they are alone, to the end of an epoch at most', () => {
    const core = newCore({ longestLease: 2 });
    expect(tell(core, joined(LOCAL, local))).toEqual([{ type: 'lease', step: 0, steps: 1 }]);
    const second = tell(core, { type: 'leased', steps: 1, seconds: 1e-6, finite: true });
    expect(second).toEqual([{ type: 'lease', step: 1, steps: 1 }]);
    expect(tell(core, leased(1))).toEqual([{ type: 'evaluate', epoch: 0 }]);
    expect(tell(core, { type: 'evaluated' })).toEqual([{ type: 'lease', step: 2, steps: 2 }]);
  });

  test('share the next step with a worker that joined during a lease', () => {
    const core = newCore();
    tell(core, joined(LOCAL, local), joined(1));
    const commands = tell(core, leased(1));
    expect(assignments(commands).map(({ member }) => member)).toEqual([LOCAL, 1]);
  });

  test('take whole steps again once the last worker has left', () => {
    const core = newCore();
    const commands = tell(core, joined(1), joined(LOCAL, local));
    const after = tell(core, ...answers(commands), left(1), updated);
    expect(after.at(-1)).toMatchObject({ type: 'lease', step: 1 });
  });
});

describe('a step', () => {
  test('goes to its members in proportion to what they were measured to do', () => {
    const core = newCore({ startWith: 2 });
    const first = tell(core, joined(1), joined(2));
    expect([rangeOf(first, 1), rangeOf(first, 2)]).toEqual([
      [0, 4],
      [4, 8],
    ]);
    const second = tell(core, ...answers(first, (member) => (member === 1 ? 3 : 1)), updated);
    expect([rangeOf(second, 1), rangeOf(second, 2)]).toEqual([
      [0, 2],
      [2, 8],
    ]);
  });

  test('goes to a member that was too slow for any share again, after a while', () => {
    const plan = { samples: 64_000, batch: 64 };
    const core = newCore({ startWith: 2, plan, totalSteps: 1000 });
    let commands = tell(core, joined(1), joined(2));
    const worked: number[] = [];
    for (let step = 0; step < 120; step++) {
      if (assignments(commands).some(({ member }) => member === 2)) worked.push(step);
      const all = answers(commands, (member) => (member === 2 && step === 0 ? 1e6 : 1));
      commands = tell(core, ...all, updated);
    }
    expect(worked.slice(0, 2)).toEqual([0, 101]);
  });

  test('counts on a newcomer to do with each thread what others do', () => {
    const core = newCore();
    const first = tell(core, joined(1, { threads: 2, local: false }));
    tell(core, joined(2, { threads: 6, local: false }));
    const second = tell(core, ...answers(first), updated);
    expect([rangeOf(second, 1), rangeOf(second, 2)]).toEqual([
      [0, 2],
      [2, 8],
    ]);
  });

  test('gives the range of a member that left to the others, with the weights', () => {
    const core = newCore({ startWith: 2 });
    const [, second] = answers(tell(core, joined(1), joined(2)));
    expect(tell(core, left(1))).toEqual([]);
    expect(second && tell(core, second)).toEqual([
      { type: 'reduce', range: { first: 4, last: 8 }, pieces: '2: 4-8 of 0' },
      { type: 'assign', member: 2, step: 0, range: { first: 0, last: 4 } },
    ]);
  });

  test('goes on with a newcomer if everybody had left', () => {
    const core = newCore();
    tell(core, joined(1));
    expect(tell(core, left(1))).toEqual([{ type: 'wait' }]);
    expect(tell(core, joined(2))).toEqual([
      { type: 'sendWeights', step: 0, members: [2] },
      { type: 'assign', member: 2, step: 0, range: { first: 0, last: 8 } },
    ]);
  });

  test('counts an answer once, and only what was asked of whom was asked', () => {
    const core = newCore({ startWith: 2 });
    const [first] = answers(tell(core, joined(1), joined(2)));
    if (first?.type !== 'computed') throw new Error('Nothing was assigned.');
    const discarded = [{ type: 'discard', pieces: first.pieces }];
    for (const wrong of [
      { ...first, member: 2 },
      { ...first, member: 3 },
      { ...first, step: 1 },
      { ...first, range: { first: 0, last: 3 } },
      { ...first, range: { first: 1, last: 4 } },
    ]) {
      expect(tell(core, wrong)).toEqual(discarded);
    }
    expect(tell(core, first)).toMatchObject([{ type: 'reduce' }]);
    expect(tell(core, first)).toEqual(discarded);
  });
});

describe('the stop', () => {
  test('comes at once if nothing has begun', () => {
    const core = newCore({ startWith: 1 });
    tell(core, joined(LOCAL, local));
    expect(tell(core, { type: 'stop' })).toEqual([{ type: 'finish', outcome: 'stopped' }]);
    expect(tell(core, joined(1), left(1), joined(LOCAL, local))).toEqual([]);
  });

  test('comes after the step that is being computed', () => {
    const core = newCore();
    const commands = tell(core, joined(1));
    expect(tell(core, { type: 'stop' })).toEqual([]);
    expect(tell(core, ...answers(commands), updated).at(-1)).toEqual({
      type: 'finish',
      outcome: 'stopped',
    });
  });

  test('comes at once if nobody is there to end the step', () => {
    const core = newCore();
    tell(core, joined(1), left(1));
    expect(tell(core, { type: 'stop' })).toEqual([{ type: 'finish', outcome: 'stopped' }]);
  });

  test('comes when the last member leaves, who was to end the step', () => {
    const core = newCore();
    tell(core, joined(1), { type: 'stop' });
    expect(tell(core, left(1))).toEqual([{ type: 'finish', outcome: 'stopped' }]);
  });
});

describe('the end', () => {
  test('comes after the last step and its evaluation', () => {
    const core = newCore({ totalSteps: 3 });
    tell(core, joined(LOCAL, local), leased(2), { type: 'evaluated' });
    expect(tell(core, leased(1))).toEqual([{ type: 'evaluate', epoch: 1 }]);
    expect(tell(core, { type: 'evaluated' })).toEqual([{ type: 'finish', outcome: 'complete' }]);
  });

  test('comes with a step that is not finite, and names it', () => {
    const core = newCore({ totalSteps: 4 });
    const commands = tell(core, joined(LOCAL, local), leased(1), {
      ...leased(1),
      finite: false,
    } as CoreEvent<string>);
    expect(commands.at(-1)).toEqual({ type: 'finish', outcome: 'notFinite' });
    expect(core.step).toBe(1);
  });

  test('leaves late answers to be discarded, and nothing else to be done', () => {
    const core = newCore({ totalSteps: 1 });
    const late = answers(tell(core, joined(1)));
    tell(core, ...late, updated, { type: 'evaluated' });
    expect(tell(core, ...late, left(1), joined(2), { type: 'stop' }, updated)).toEqual([
      { type: 'discard', pieces: '1: 0-8 of 0' },
    ]);
  });
});
