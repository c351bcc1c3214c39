import { describe, expect, test } from 'vitest';
import { Member, type Work } from '../../coordinator/member.js';
import type { Speed } from '../../coordinator/ranges.js';
import { limits } from '../../src/protocol/protocol.js';
import { profileOf } from './profiles.js';

const remote = profileOf();

function begin(member: Member, { now = 0, count = 8, step = 0, probe = false } = {}): Work {
  member.begin({ step, range: { first: 0, last: count }, probe }, member.speed, now);
  if (!member.work) throw new Error('It has no work.');
  return member.work;
}

/** Answers to 8 micro-batches. */
function measured(elapsed: number, computed: number, profile = remote): Speed | undefined {
  const member = new Member(1, profile, 0);
  member.end(begin(member, { now: 1000 }), computed, 1000 + elapsed);
  return member.speed;
}

describe('the speed of a member', () => {
  test('is unknown until it has answered', () => {
    expect(new Member(1, remote, 0).speed).toBeUndefined();
  });

  test('is what it says that it computed, and its link is the rest', () => {
    expect(measured(3, 2)).toEqual({ link: 1, pace: 0.25 });
  });

  test('is not above or below what can be', () => {
    expect(measured(2, 1e9)).toEqual({ link: 0, pace: 0.25 });
    expect(measured(2, -1)?.link).toBe(2);
  });

  test('is never infinite, however coarse the clock', () => {
    expect(measured(0, 0)?.pace).toBeGreaterThan(0);
    expect(measured(-1, 5)).toMatchObject({ link: 0 });
  });

  test('of the local threads is all of the time: they have no link', () => {
    expect(measured(2, 0, profileOf({ threads: 2, local: true }))).toEqual({ link: 0, pace: 0.25 });
  });
});

describe('the deadlines of a range', () => {
  const { late, stuck } = limits;

  test('are those for the unknown if nobody knows how fast its member is', () => {
    const work = begin(new Member(1, remote, 0), { now: 10 });
    expect(work).toMatchObject({ lateAt: 10 + late.unknown, stuckAt: 10 + stuck.unknown });
  });

  test('follow from its own speed', () => {
    const member = new Member(1, remote, 0);
    member.end(begin(member), 2, 3);
    const { lateAt, stuckAt } = begin(member, { now: 10, count: 4 });
    expect(lateAt).toBe(10 + late.factor * 2 + late.slack);
    expect(stuckAt).toBe(10 + stuck.factor * 2);
  });

  test('follow from a guess as to when it is late, not as to when it is stuck', () => {
    const member = new Member(1, remote, 0);
    const range = { first: 0, last: 8 };
    member.begin({ step: 0, range, probe: false }, { link: 0, pace: 0.125 }, 10);
    expect(member.work).toMatchObject({
      lateAt: 10 + late.factor + late.slack,
      stuckAt: 10 + stuck.unknown,
    });
  });

  test('come one after the other, and end', () => {
    const member = new Member(1, remote, 0);
    expect(member.deadline(0)).toBe(Infinity);
    const { lateAt, stuckAt } = begin(member);
    expect(member.deadline(0)).toBe(lateAt);
    expect(member.deadline(lateAt)).toBe(stuckAt);
    member.stuck = true;
    expect(member.deadline(stuckAt)).toBe(Infinity);
  });
});

test('the deadline of one who may be stuck before it is late is that of the stuck', () => {
  const member = new Member(1, remote, 0);
  member.begin({ step: 0, range: { first: 0, last: 8 }, probe: false }, { link: 0, pace: 10 }, 10);
  expect(member.work?.lateAt).toBeGreaterThan(10 + limits.stuck.unknown);
  expect(member.deadline(10)).toBe(10 + limits.stuck.unknown);
});

describe('the probes of a member', () => {
  /** Probes it as often as it is due until `end`; each takes `seconds(now)`. When each was given. */
  function probe(member: Member, from: number, end: number, seconds: (now: number) => number) {
    const given: number[] = [];
    for (let now = from; now < end; now += 0.25) {
      if (!member.probeDue(now)) continue;
      given.push(now);
      member.probed(now);
      member.end(begin(member, { now, probe: true }), 0, now + seconds(now));
    }
    return given.slice(1).map((time, index) => time - (given[index] ?? NaN));
  }

  test('are ever rarer as long as it is as slow as before', () => {
    const pauses = probe(new Member(1, remote, 0), 0, 200, () => 0.2);
    expect(pauses.slice(0, 6)).toEqual([1, 2, 4, 8, 16, 30]);
  });

  test('follow soon on each other when it answers much sooner than before', () => {
    const member = new Member(1, remote, 0);
    const slow = probe(member, 0, 200, () => 0.2);
    expect(slow.at(-1)).toBe(limits.probe.longest);
    const quick = probe(member, 200, 300, () => 0.02);
    expect(Math.max(...quick.slice(0, 3))).toBeLessThan(1.5 * limits.probe.first);
    expect(quick.at(-1)).toBeGreaterThan(15);
  });

  test('of a spare are no more frequent for a try with a share', () => {
    const member = new Member(1, remote, 0);
    probe(member, 0, 200, () => 0.2);
    member.standing(5, 200);
    expect(member.standing(5, 202)).toBe(true);
    member.used(202);
    expect(member.probeDue(202 + limits.probe.longest - 0.1)).toBe(false);
    expect(member.probeDue(202 + limits.probe.longest)).toBe(true);
  });

  test('of one that has lost a share begin soon', () => {
    const member = new Member(1, remote, 0);
    probe(member, 0, 200, () => 0.2);
    member.used(200);
    expect(member.probeDue(200 + limits.probe.first)).toBe(true);
  });
});

describe('a member is idle', () => {
  test('when it has no work and can be counted on', () => {
    const member = new Member(1, remote, 0);
    expect(member.idle).toBe(true);
    member.silent = true;
    expect([member.present, member.idle]).toEqual([false, false]);
    member.silent = false;
    const work = begin(member);
    expect([member.present, member.idle]).toEqual([true, false]);
    member.stuck = true;
    expect(member.present).toBe(false);
    member.end(work, 0, 1);
    expect([member.present, member.idle]).toEqual([true, true]);
  });
});

describe('the standing of a member', () => {
  /** Has answered, and is without a share from the first look on. */
  function measuredMember(): Member {
    const member = new Member(1, remote, 0);
    member.end(begin(member), 1, 1);
    return member;
  }

  test('is that of a spare once it has been without a share for a second', () => {
    const member = measuredMember();
    const looks = [10, 10.5, 10 + limits.spareAfter - 1e-6, 10 + limits.spareAfter, 20];
    const news = looks.map((now) => member.standing(5, now));
    expect(news).toEqual([undefined, undefined, undefined, true, undefined]);
  });

  test('is no longer that once it has had a share for a second', () => {
    const member = measuredMember();
    member.standing(5, 10);
    expect(member.standing(5, 20)).toBe(true);
    begin(member, { step: 6 });
    const looks = [21, 21 + limits.spareAfter - 1e-6, 21 + limits.spareAfter, 30];
    const news = looks.map((now) => member.standing(6, now));
    expect(news).toEqual([undefined, undefined, false, undefined]);
  });

  test('is not told where shares come and go', () => {
    const member = measuredMember();
    for (let step = 5; step < 20; step += 2) {
      member.work = undefined;
      expect(member.standing(step, step)).toBeUndefined();
      begin(member, { step: step + 1 });
      expect(member.standing(step + 1, step + 0.5)).toBeUndefined();
    }
  });

  test('does not change because it is probed', () => {
    const member = measuredMember();
    member.standing(5, 10);
    begin(member, { step: 6, probe: true });
    member.probed(10.5);
    expect(member.standing(6, 12)).toBe(true);
  });

  test('is not looked at while it is at work on a step before, or is not known yet', () => {
    const member = measuredMember();
    member.standing(5, 10);
    begin(member, { step: 5, probe: true });
    expect(member.standing(6, 20)).toBeUndefined();
    const newcomer = new Member(2, remote, 0);
    newcomer.standing(5, 10);
    expect(newcomer.standing(5, 20)).toBeUndefined();
  });
});

describe('probes of a member', () => {
  test('are due at once, then after pauses that double up to half a minute', () => {
    const member = new Member(1, remote, 0);
    let now = 5;
    for (const pause of [1, 2, 4, 8, 16, 30, 30]) {
      expect(member.probeDue(now)).toBe(true);
      member.probed(now);
      expect(member.probeDue(now + pause - 1e-6)).toBe(false);
      now += pause;
    }
  });

  test('are due a second after its last share, however rare they were before', () => {
    const member = new Member(1, remote, 0);
    for (let time = 0; time < 9; time++) member.probed(0);
    member.used(100);
    expect(member.probeDue(100 + limits.probe.first - 1e-6)).toBe(false);
    expect(member.probeDue(100 + limits.probe.first)).toBe(true);
  });

  test('are never due for who is busy or lost', () => {
    const busy = new Member(1, remote, 0);
    begin(busy);
    const silent = new Member(2, remote, 0);
    silent.silent = true;
    expect([busy.probeDue(9), silent.probeDue(9)]).toEqual([false, false]);
  });
});
