import {
  type Absence,
  LOCAL,
  type MemberId,
  type MemberProfile,
} from '../../coordinator/core-messages.js';
import type { MicroBatchRange } from '../../coordinator/ranges.js';
import { limits } from '../../src/protocol/protocol.js';
import { check } from './check.js';

export interface AuditedWork {
  readonly step: number;
  readonly range: MicroBatchRange;
  readonly probe: boolean;
  readonly since: number;
  /** From then on others must be given it too, whatever the core has measured. */
  readonly lateAt: number;
  /** From then on the member must be given up. */
  readonly stuckAt: number;
  /** Since it was given, it was not waited for at times. */
  lost: boolean;
}

export interface AuditedMember {
  readonly id: MemberId;
  readonly local: boolean;
  readonly threads: number;
  /** The step whose weights it was last sent. */
  weights: number | undefined;
  work: AuditedWork | undefined;
  /** Nothing is heard from it. */
  silent: boolean;
  /** It is not waited for. */
  lost: boolean;
  /** What it was told of its standing, and when. */
  spare: boolean;
  toldAt: number;
}

/** A timer and the coordinator's time for it may come so late together, in seconds. */
export const LATEST_TIMER = 7;

/** Times of the same moment may differ by so much, in seconds. */
const ROUNDING = 1e-6;

/** Who is a member, with what work, and who is waited for. */
export class AuditedMembers {
  readonly #members = new Map<MemberId, AuditedMember>();
  /** The slowest that a thread was seen to compute a micro-batch, and the slowest link, in seconds. */
  #slowest: { pace: number; link: number } | undefined;

  join(id: MemberId, { local, threads }: MemberProfile): void {
    this.#members.set(id, {
      id,
      local,
      threads,
      weights: undefined,
      work: undefined,
      silent: false,
      lost: false,
      spare: false,
      toldAt: -Infinity,
    });
  }

  leave(id: MemberId): void {
    this.#members.delete(id);
  }

  get(id: MemberId): AuditedMember | undefined {
    return this.#members.get(id);
  }

  /** @throws Error if it is not there */
  expect(id: MemberId, what: string): AuditedMember {
    const member = this.#members.get(id);
    check(member !== undefined, `${what} for member ${id}, who is not there`);
    return member;
  }

  get all(): AuditedMember[] {
    return [...this.#members.values()];
  }

  get present(): AuditedMember[] {
    return this.all.filter(({ lost }) => !lost);
  }

  get remotes(): number {
    return this.present.filter(({ local }) => !local).length;
  }

  sendWeights(id: MemberId, step: number): void {
    const member = this.expect(id, 'weights');
    check(!member.local, 'weights for the local threads');
    check(member.weights !== step, `weights for member ${id} a second time`);
    check(member.work === undefined, `weights for member ${id}, who is still busy`);
    member.weights = step;
  }

  assign(id: MemberId, work: Pick<AuditedWork, 'step' | 'range' | 'probe'>, now: number): void {
    const member = this.expect(id, 'work');
    const { local, weights, lost } = member;
    check(member.work === undefined, `more work for member ${id}, who is still busy`);
    check(!lost, `work for member ${id}, who is lost`);
    check(local || weights === work.step, `member ${id} lacks the step's weights`);
    const { late, stuck } = limits;
    const longest = this.#longest(member, work.range);
    const lateAt = now + Math.max(late.unknown, late.factor * longest + late.slack);
    const stuckAt = now + Math.max(stuck.unknown, stuck.factor * longest);
    member.work = { ...work, since: now, lateAt, stuckAt, lost: false };
  }

  answered(member: AuditedMember, { range, since }: AuditedWork, now: number): void {
    this.#measure(member, range.last - range.first, now - since);
    member.work = undefined;
  }

  measureLease(microBatches: number, seconds: number): void {
    this.#measure(this.expect(LOCAL, 'a lease'), microBatches, seconds);
  }

  #measure({ threads }: AuditedMember, microBatches: number, seconds: number): void {
    const { pace, link } = this.#slowest ?? { pace: 0, link: 0 };
    this.#slowest = {
      pace: Math.max(pace, (seconds / microBatches) * threads),
      link: Math.max(link, seconds),
    };
  }

  /** Nothing is heard from a member; true if it must be given up for that. */
  silent(id: MemberId): boolean {
    const member = this.get(id);
    if (!member) return false;
    member.silent = true;
    return !member.lost;
  }

  /** A member is heard; true if it must be taken back for that, which may have happened. */
  heard(id: MemberId, now: number, isBack: boolean): boolean {
    const member = this.get(id);
    if (!member?.silent) return false;
    member.silent = false;
    // While it was silent it may have become late enough to be lost for that too.
    const late = member.work && now - member.work.since > limits.stuck.least - ROUNDING;
    return isBack || !late;
  }

  /** The core does not wait for a member any longer. */
  lost(id: MemberId, why: Absence, now: number): void {
    const member = this.expect(id, 'a loss');
    const { work } = member;
    check(!member.lost, `member ${id} is lost a second time`);
    member.lost = true;
    if (work) work.lost = true;
    if (why === 'silent') {
      check(member.silent, `member ${id} is not silent`);
      return;
    }
    check(!member.local, 'the local threads were given up');
    const waited = work === undefined ? 0 : now - work.since;
    const patient = waited > limits.stuck.least - ROUNDING;
    check(patient, `member ${id} was given up after ${waited} s`);
  }

  back(id: MemberId): void {
    const member = this.expect(id, 'a return');
    check(member.lost && !member.silent, `member ${id} is taken back out of turn`);
    member.lost = false;
  }

  checkStuck(now: number): void {
    const stuck = this.present.find(
      ({ local, work }) => !local && work && now > work.stuckAt + LATEST_TIMER,
    );
    check(stuck === undefined, `member ${stuck?.id} is stuck, and waited for`);
  }

  standing(id: MemberId, spare: boolean, now: number): void {
    const member = this.expect(id, 'a standing');
    const { work, spare: told, toldAt } = member;
    check(told !== spare, `member ${id} is told its standing a second time`);
    const used = work !== undefined && !work.probe;
    check(used !== spare, `member ${id} is told that it is ${spare ? 'a' : 'no'} spare, wrongly`);
    check(now - toldAt >= limits.spareAfter, `member ${id} is told another standing at once`);
    member.spare = spare;
    member.toldAt = now;
  }

  /** Ranges of a step that somebody who is waited for computes, and is not late with. */
  ranges(step: number, isLate: (work: AuditedWork) => boolean): MicroBatchRange[] {
    return this.present.flatMap(({ work }) =>
      work?.step === step && !work.probe && !isLate(work) ? [work.range] : [],
    );
  }

  /** Whether somebody, lost or not, computes a part of a range. */
  isAtWork(step: number, { first, last }: MicroBatchRange): boolean {
    return this.all.some(({ work }) => {
      const same = work?.step === step && !work.probe;
      return same && work.range.first < last && first < work.range.last;
    });
  }

  /** Seconds that a range is predicted to take at most. */
  #longest(member: AuditedMember, { first, last }: MicroBatchRange): number {
    const { pace, link } = this.#slowest ?? { pace: 0, link: 0 };
    return link + ((last - first) * pace) / member.threads;
  }
}
