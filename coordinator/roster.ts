import type { MemberId, MemberProfile } from './core-messages.js';
import { Member } from './member.js';
import {
  blockOf,
  type MicroBatchRange,
  shareOut,
  shareOutInFewPieces,
  type Speed,
} from './ranges.js';

export interface Share {
  readonly member: Member;
  readonly range: MicroBatchRange;
}

/** The members of a run: who can be counted on, and how fast each is. Times are in seconds. */
export class Roster {
  readonly #members = new Map<MemberId, Member>();
  /** Seconds for a micro-batch that the local threads take in whole steps of their own. */
  readonly #alone: () => number | undefined;

  constructor(alone: () => number | undefined) {
    this.#alone = alone;
  }

  add(id: MemberId, profile: MemberProfile, now: number): void {
    this.#members.set(id, new Member(id, profile, now));
  }

  get(id: MemberId): Member | undefined {
    return this.#members.get(id);
  }

  delete(id: MemberId): boolean {
    return this.#members.delete(id);
  }

  get all(): Member[] {
    return [...this.#members.values()];
  }

  get present(): Member[] {
    return this.all.filter(({ present }) => present);
  }

  /** The coordinator's own threads, if they compute. */
  get local(): Member | undefined {
    return this.all.find(({ local }) => local);
  }

  get remotes(): Member[] {
    return this.present.filter(({ local }) => !local);
  }

  speedOf(member: Member): Speed | undefined {
    const alone = member.local ? this.#alone() : undefined;
    return member.speed ?? (alone === undefined ? undefined : { link: 0, pace: alone });
  }

  /** A newcomer counts as its threads times what a thread does elsewhere, if that is known. */
  guess({ threads }: Member): Speed | undefined {
    const known = this.all.flatMap((member) => {
      const speed = this.speedOf(member);
      return speed ? [speed.pace * member.threads] : [];
    });
    if (known.length === 0) return undefined;
    const pace = known.reduce((sum, each) => sum + each, 0) / known.length;
    return { link: 0, pace: pace / threads };
  }

  /**
   * Divides a range among idle members whose speed is known or, if there are none, among those of
   * whom nothing is known yet.
   */
  shareOut(
    range: MicroBatchRange,
    microBatches: number,
  ): { shares: Share[]; seconds: number | undefined } {
    const idle = this.#idle;
    const known = idle.filter((member) => this.speedOf(member) !== undefined);
    const members = known.length > 0 ? known : idle;
    if (members.length === 0) return { shares: [], seconds: undefined };
    const speeds = members.map(
      (member) =>
        this.speedOf(member) ?? this.guess(member) ?? { link: 0, pace: 1 / member.threads },
    );
    const block = blockOf(microBatches, members.length);
    // Where nothing is known yet, everybody shows how fast it is.
    const divide = known.length > 0 ? shareOutInFewPieces : shareOut;
    const { ranges, seconds } = divide(range, speeds, block);
    const shares = members.flatMap((member, index) => {
      const share = ranges[index];
      return share && share.last > share.first ? [{ member, range: share }] : [];
    });
    return { shares, seconds };
  }

  /** Who can be asked to compute: of those who are benched only as many as there is nobody else. */
  get #idle(): Member[] {
    const idle = this.all.filter((member) => member.idle);
    const wanted = idle.filter(({ benched }) => !benched);
    return wanted.length > 0 ? wanted : idle;
  }

  /** Who should show now how fast it is. Where nobody else carries the step there is real work. */
  probesDue(now: number): Member[] {
    const known = this.present.filter((member) => this.speedOf(member) !== undefined);
    return this.present.filter(
      (member) => member.probeDue(now) && known.some((other) => other !== member),
    );
  }

  /** The next time at which something will be late or somebody stuck; Infinity if there is none. */
  deadline(now: number): number {
    return Math.min(...this.all.map((member) => member.deadline(now)));
  }
}
