import { expect, test } from 'vitest';
import { Core } from '../../coordinator/core.js';
import type { CoreCommand, CoreEvent } from '../../coordinator/core-messages.js';
import type { Answer } from './audit.js';
import { type CoreLike, type MakeCore, simulate } from './simulator.js';

type Commands = CoreCommand<Answer>[];

/** A core that is broken on purpose: `handle` may change what the core is told and what it wants. */
function broken(
  handle: (core: Core<Answer>, event: CoreEvent<Answer>) => Commands | readonly Commands[number][],
): MakeCore {
  return (options) => {
    const core = new Core<Answer>(options);
    const double: CoreLike = {
      get step() {
        return core.step;
      },
      handle: (event) => [...handle(core, event)],
    };
    return double;
  };
}

/** Runs seeds until the simulator objects. */
function runSeeds(makeCore: MakeCore): void {
  for (let seed = 0; seed < 300; seed++) simulate(seed, makeCore);
}

test('an answer that is counted twice is caught', () => {
  const core = broken((inner, event) =>
    inner
      .handle(event)
      .map((command) =>
        command.type === 'discard' && command.pieces.step === inner.step
          ? { type: 'reduce', range: command.pieces.range, pieces: command.pieces }
          : command,
      ),
  );
  expect(() => {
    runSeeds(core);
  }).toThrow(/counted twice|after the end/);
});

test('an answer that is lost is caught', () => {
  let answers = 0;
  const core = broken((inner, event) => {
    const commands = inner.handle(event);
    if (event.type !== 'computed' || ++answers % 50 !== 0) return commands;
    return commands.filter(({ type }) => type !== 'reduce');
  });
  expect(() => {
    runSeeds(core);
  }).toThrow('neither taken nor discarded');
});

test('weights that are not sent are caught', () => {
  const core = broken((inner, event) =>
    inner.handle(event).filter(({ type }) => type !== 'sendWeights'),
  );
  expect(() => {
    runSeeds(core);
  }).toThrow("lacks the step's weights");
});

test('weights that come after the work are caught', () => {
  const core = broken((inner, event) => {
    const commands = inner.handle(event);
    const weights = commands.filter(({ type }) => type === 'sendWeights');
    return [...commands.filter(({ type }) => type !== 'sendWeights'), ...weights];
  });
  expect(() => {
    runSeeds(core);
  }).toThrow("lacks the step's weights");
});

test('work for a member who has left is caught', () => {
  const core = broken((inner, event) => (event.type === 'left' ? [] : inner.handle(event)));
  expect(() => {
    runSeeds(core);
  }).toThrow(/who is not there|is not over/);
});

test('a run that waits for ever is caught', () => {
  let ranges = 0;
  const core = broken((inner, event) =>
    inner.handle(event).filter(({ type }) => type !== 'assign' || ++ranges % 40 !== 0),
  );
  expect(() => {
    runSeeds(core);
  }).toThrow('nothing is left to happen');
});

test('an epoch that is not evaluated is caught', () => {
  const core = broken((inner, event) =>
    inner
      .handle(event)
      .flatMap((command) =>
        command.type === 'evaluate' ? inner.handle({ type: 'evaluated' }) : [command],
      ),
  );
  expect(() => {
    runSeeds(core);
  }).toThrow('was not evaluated');
});

test('a run that does not wait for its workers is caught', () => {
  const impatient: MakeCore = (options) => new Core<Answer>({ ...options, startWith: 0 });
  expect(() => {
    runSeeds(impatient);
  }).toThrow(/begins with \d workers instead of \d/);
});

test('a command after the end is caught', () => {
  let over = false;
  const core = broken((inner, event) => {
    const commands = inner.handle(event);
    over = commands.some(({ type }) => type === 'finish');
    return over ? [...commands, { type: 'wait' }] : commands;
  });
  expect(() => {
    runSeeds(core);
  }).toThrow('wait after the end');
});

test('what is caught comes with its seed and with what happened before', () => {
  const core = broken((inner, event) =>
    inner.handle(event).filter(({ type }) => type !== 'sendWeights'),
  );
  expect(() => {
    runSeeds(core);
  }).toThrow(/^seed \d+: .*\n\{"plan".*\n(.*\n)*.* joined member=.*\n(.*\n)*.* assign member=/);
});
