import { describe, expect, test } from 'vitest';
import type { FleetOptions } from '../../coordinator/fleet-policy.js';
import { limits } from '../../src/protocol/protocol.js';
import { all, CoreUnderTest, endless, left, PACE } from './core-under-test.js';
import { profileOf } from './profiles.js';

const price = (perHour: bigint) => ({
  perHour,
  currency: 'USD',
  minimumSeconds: 0,
  perGigabyte: 0n,
});
/** Members 1 and 2: as fast as each other, and one costs a hundred times as much. */
const [CHEAP, DEAR] = [1, 2];

function cheapAndDear(fleet: FleetOptions, options = {}): CoreUnderTest {
  const core = new CoreUnderTest({ ...endless, startWith: 2, fleet, ...options });
  for (const [member, perHour] of [
    [CHEAP, 36_000n],
    [DEAR, 3_600_000n],
  ] as const) {
    core.setSpeed(member, {});
    core.tell({ type: 'joined', member, profile: profileOf({ price: price(perHour) }) });
  }
  return core;
}

const cheapest = { policy: 'cheapest', releaseIdle: true } as const;

/** The shares of a step that has just begun. */
function shares(core: CoreUnderTest, step: number): Record<number, string> {
  core.until('sendWeights', (command) => command.step === step);
  return core.shares;
}

describe('the cheapest fleet', () => {
  test('is without who is dear, from the step on in which that is known', () => {
    expect(shares(cheapAndDear(cheapest), 1)).toEqual({ [CHEAP]: '0-8' });
  });

  test('tells who is benched, with what the rest of the run costs with it and without it', () => {
    const core = cheapAndDear(cheapest, { totalSteps: 1_000 });
    const { member, spare, why } = core.until('standing');
    expect({ member, spare }).toEqual({ member: DEAR, spare: true });
    if (why.of !== 'run') throw new Error('It is told what a step takes.');
    // Both together take half the time, at 10 and 1000 micro-units a second.
    const steps = why.withoutIt.seconds / (8 * PACE);
    expect(why.withoutIt.cost).toBeCloseTo(steps * 8 * PACE * 10, 6);
    expect(why.withIt.seconds).toBeCloseTo(why.withoutIt.seconds / 2, 6);
    expect(why.withIt.cost).toBeCloseTo(steps * 4 * PACE * 1010, 6);
  });

  test('releases who is benched once it has been tried, and asks no more of it', () => {
    const core = cheapAndDear(cheapest);
    const told = core.until('standing');
    expect(told.member).toBe(DEAR);
    const since = core.now;
    expect(core.until('release').member).toBe(DEAR);
    expect(core.now - since).toBeGreaterThanOrEqual(limits.release.seconds);
    const after = core.advance(100);
    expect(all(after, 'assign').some(({ member }) => member === DEAR)).toBe(false);
    expect(all(after, 'release')).toEqual([]);
  });

  test('has everybody compute where the bench costs as much', () => {
    const core = cheapAndDear({ policy: 'cheapest', releaseIdle: false });
    expect(shares(core, 5)).toEqual({ [CHEAP]: '0-4', [DEAR]: '4-8' });
  });

  test('has everybody compute where the deadline wants it', () => {
    const seconds = 1_000 * 8 * PACE;
    const core = cheapAndDear(cheapest, {
      totalSteps: 1_000,
      limits: { deadline: 0.8 * seconds, budget: null, targetAccuracy: null, evaluation: 0 },
    });
    expect(shares(core, 5)).toEqual({ [CHEAP]: '0-4', [DEAR]: '4-8' });
  });

  test('takes from the bench who is needed: the cheap one has left', () => {
    const core = cheapAndDear(cheapest);
    shares(core, 3);
    core.tell(left(CHEAP));
    expect(core.until('assign', ({ probe }) => !probe).member).toBe(DEAR);
    expect(shares(core, 5)).toEqual({ [DEAR]: '0-8' });
  });
});

test('without a policy nobody is benched, whatever it costs, nor released', () => {
  const core = new CoreUnderTest({ ...endless, startWith: 2 });
  for (const member of [CHEAP, DEAR]) {
    core.setSpeed(member, member === DEAR ? { link: 100 } : {});
    core.tell({ type: 'joined', member, profile: profileOf({ price: price(3_600_000n) }) });
  }
  expect(all(core.advance(500), 'release')).toEqual([]);
});

test('who adds more waiting than it saves is released as well, though it costs nothing', () => {
  const core = new CoreUnderTest({ ...endless, startWith: 2, fleet: cheapest });
  for (const member of [CHEAP, DEAR]) {
    core.setSpeed(member, member === DEAR ? { link: 0.5 } : {});
    core.tell({ type: 'joined', member, profile: profileOf() });
  }
  const { member, why } = core.until('release');
  expect(member).toBe(DEAR);
  if (why.of === 'step') expect(why.withIt).toBeGreaterThan(why.withoutIt);
  else expect(why.withIt.seconds).toBeGreaterThan(why.withoutIt.seconds);
});
