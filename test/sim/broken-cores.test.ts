import { expect, test } from 'vitest';
import { Core, type CoreOptions } from '../../coordinator/core.js';
import type { CoreCommand, CoreEvent } from '../../coordinator/core-messages.js';
import type { CoreLike, Parts } from './life.js';
import type { Answer } from './members.js';
import { objectionTo } from './objections.js';

type Command = CoreCommand<Answer>;
type Handle = (core: Core<Answer>, event: CoreEvent<Answer>, now: number) => readonly Command[];

/** A core that is broken on purpose: `handle` may change what the core is told and what it wants. */
function broken(handle: Handle): Partial<Parts> {
  return {
    makeCore: (options) => {
      const core = new Core<Answer>(options);
      const double: CoreLike = {
        get step() {
          return core.step;
        },
        handle: (event, now) => [...handle(core, event, now)],
        objection: (price, now) => core.objection(price, now),
      };
      return double;
    },
  };
}

/** A core some of whose commands are lost. */
function without(isLost: (command: Command) => boolean): Partial<Parts> {
  return broken((core, event, now) =>
    core.handle(event, now).filter((command) => !isLost(command)),
  );
}

/** A core that does not hear of some events. */
function deafTo(isLost: (event: CoreEvent<Answer>) => boolean): Partial<Parts> {
  return broken((core, event, now) => (isLost(event) ? [] : core.handle(event, now)));
}

/** A core that counts answers that it should discard. */
function counting(isCounted: (answer: Answer, step: number) => boolean): Partial<Parts> {
  return broken((core, event, now) =>
    core.handle(event, now).map((command) =>
      command.type === 'discard' && isCounted(command.pieces, core.step)
        ? {
            type: 'reduce',
            member: command.member,
            range: command.pieces.range,
            pieces: command.pieces,
          }
        : command,
    ),
  );
}

function started(change: (options: CoreOptions) => Partial<CoreOptions>): Partial<Parts> {
  return { makeCore: (options) => new Core<Answer>({ ...options, ...change(options) }) };
}

/** True for every so many-th call. */
function every(count: number): () => boolean {
  let calls = 0;
  return () => ++calls % count === 0;
}

const often = every(20);
const seldom = every(40);

test.each<[string, Partial<Parts>, RegExp]>([
  [
    'an answer that is counted twice',
    counting(({ step }, current) => step === current),
    /micro-batch \d+ of step \d+ counted twice/,
  ],
  [
    'an answer to a step that is over',
    counting(({ step }, current) => step < current),
    /pieces of step \d+ in step \d+/,
  ],
  [
    'an answer that is lost',
    without(({ type }) => type === 'reduce' && often()),
    /neither taken nor discarded/,
  ],
  [
    'weights that are not sent',
    without(({ type }) => type === 'sendWeights'),
    /lacks the step's weights/,
  ],
  [
    'weights that come after the work',
    broken((core, event, now) => {
      const commands = core.handle(event, now);
      const weights = commands.filter(({ type }) => type === 'sendWeights');
      return [...commands.filter(({ type }) => type !== 'sendWeights'), ...weights];
    }),
    /lacks the step's weights/,
  ],
  ['work for a member who has left', deafTo(({ type }) => type === 'left'), /who is not there/],
  [
    'work that is not given to anybody',
    without(({ type }) => type === 'assign' && seldom()),
    /left open while member \d+ is idle/,
  ],
  [
    'a straggler whose range nobody else is given, since no timer is heard',
    deafTo(({ type }) => type === 'timer'),
    /left open while member \d+ is idle/,
  ],
  [
    'a straggler whose range nobody else is given, since no timer is asked for',
    without(({ type }) => type === 'timer'),
    /left open while member \d+ is idle/,
  ],
  [
    'a silent member that is waited for',
    deafTo(({ type }) => type === 'silent'),
    /silent member \d+ is waited for/,
  ],
  [
    'a silent member that is not taken back',
    deafTo(({ type }) => type === 'heard'),
    /is there again, and is not taken back/,
  ],
  [
    'a stuck member that is not taken back',
    broken((core, event, now) => {
      const commands = core.handle(event, now);
      return event.type === 'heard' ? commands : commands.filter(({ type }) => type !== 'back');
    }),
    /is there again, and is not taken back/,
  ],
  [
    'a stuck member that is waited for',
    deafTo(({ type }) => type === 'timer'),
    /is stuck, and waited for/,
  ],
  ['a liar who is kept', without(({ type }) => type === 'expel'), /has lied, and is kept/],
  [
    'a liar who is believed',
    broken((core, event, now) =>
      core.handle(event.type === 'computed' ? { ...event, finite: true } : event, now),
    ),
    /cannot be believed/,
  ],
  [
    'a checkpoint that is not made when it is due',
    started(() => ({ saveEvery: { seconds: 1e9 } })),
    /begins without a checkpoint after/,
  ],
  [
    'a checkpoint that is not made at the end of an epoch',
    broken((core, event, now) => {
      const commands = core.handle(event, now);
      if (event.type !== 'evaluated') return commands;
      return commands.filter(({ type }) => type !== 'save');
    }),
    /without a checkpoint at the end of the epoch/,
  ],
  [
    'a checkpoint of weights that move',
    broken((core, event, now) => {
      const commands = core.handle(event, now);
      const leased = commands.some(({ type }) => type === 'lease');
      return leased ? [...commands, { type: 'save', step: core.step }] : commands;
    }),
    /of weights that are not at rest/,
  ],
  [
    'an epoch that is not evaluated',
    broken((core, event, now) =>
      core
        .handle(event, now)
        .flatMap((command) =>
          command.type === 'evaluate' ? core.handle({ type: 'evaluated' }, now) : [command],
        ),
    ),
    /was not evaluated/,
  ],
  [
    'a run that does not wait for its workers',
    started(() => ({ startWith: 0 })),
    /begins with \d+ workers instead of \d+/,
  ],
  [
    'a resumed run that leaves a step out',
    started(({ firstStep }) => ({ firstStep: firstStep === 0 ? 0 : firstStep + 1 })),
    /step \d+ is not the current one/,
  ],
  [
    'a deadline that nobody minds',
    started(({ limits }) => ({ limits: limits && { ...limits, deadline: Infinity } })),
    /begins after the deadline|the deadline is over/,
  ],
  [
    'a budget that nobody minds',
    started(({ limits }) => ({ limits: limits && { ...limits, budget: null } })),
    /begins although the budget is used up|the budget is used up, and the run goes on/,
  ],
  [
    'a command after the end',
    broken((core, event, now) => {
      const commands = core.handle(event, now);
      return commands.some(({ type }) => type === 'finish')
        ? [...commands, { type: 'wait' }]
        : commands;
    }),
    /wait after the end/,
  ],
])('%s is caught', async (_, parts, objection) => {
  expect(await objectionTo(parts, objection)).toMatch(objection);
});

test('what is caught comes with the line that replays it and with what happened before', async () => {
  const whole =
    /^seed (\d+): .*npm run sim -- --seed \1\)\n\{"plan".*\n(.*\n)*.* joined member=.*\n(.*\n)*.* assign member=/;
  const parts = without(({ type }) => type === 'sendWeights');
  expect(await objectionTo(parts, whole)).toMatch(whole);
});
