import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { resolveCoordinator, resolveTrain } from '../../src/config/resolve.js';
import { usageError } from './helpers.js';

const of = (flags: Record<string, unknown>): Parameters<typeof resolveTrain>[0] => ({
  flags,
  env: {},
});

describe('a deadline', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: new Date(2030, 11, 31, 14, 0) });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('may be a time of today', async () => {
    const { deadline } = await resolveTrain(of({ deadline: '18:30' }));
    expect(deadline).toEqual({ at: new Date(2030, 11, 31, 18, 30).getTime() });
  });

  test.each([
    ['13:59', '2030-12-31 13:59', '2031-01-01T13:59'],
    ['14:00', '2030-12-31 14:00', '2031-01-01T14:00'],
    ['2029-06-01T18:30', '2029-06-01 18:30', '2030-12-31T18:30'],
  ])('that has passed, %s, is refused with the next such time', async (deadline, then, next) => {
    expect(await usageError(resolveTrain(of({ deadline })))).toBe(
      `--deadline is in the past (${then} has passed, it is 2030-12-31 14:00): give a time to come, such as ${next}, or a duration, such as 20m.`,
    );
  });

  test('that leaves no time at all is refused', async () => {
    const message = '--deadline must be a time to come: it leaves none to train.';
    expect(await usageError(resolveTrain(of({ deadline: '0s' })))).toBe(message);
  });
});

test('a target accuracy needs samples to validate on', async () => {
  const targetAccuracy = '0.99';
  expect(await usageError(resolveTrain(of({ targetAccuracy })))).toBe(
    '--target-accuracy is about samples that are held out of the training: add --validation 5000.',
  );
  expect(await resolveTrain(of({ targetAccuracy, validation: '5000' }))).toMatchObject({
    targetAccuracy: 0.99,
  });
});

describe('the policy', () => {
  test.each([
    [{}, null],
    [{ budget: '2.50' }, 'fastest'],
    [{ deadline: '20m' }, 'cheapest'],
    [{ deadline: '20m', budget: '2.50' }, 'cheapest'],
    [{ deadline: '20m', policy: 'balanced' }, 'balanced'],
    [{ policy: 'fastest' }, 'fastest'],
  ])('of %j is %s', async (flags, policy) => {
    expect(await resolveCoordinator(of(flags))).toMatchObject({ policy });
  });

  test('is what --release-idle needs', async () => {
    expect(await usageError(resolveCoordinator(of({ releaseIdle: true })))).toBe(
      '--release-idle goes with --policy, --budget or --deadline: say what workers are chosen for.',
    );
    const flags = { releaseIdle: true, policy: 'cheapest' };
    expect(await resolveCoordinator(of(flags))).toMatchObject(flags);
  });
});
