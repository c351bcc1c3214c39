import { limits } from '../src/protocol/protocol.js';
import type { Price } from '../src/cost/price.js';
import type { MemberId, MemberProfile, Traffic } from './core-messages.js';
import type { MicroBatchRange, Speed } from './ranges.js';
import { Recent } from './recent.js';

/** What a member was asked for and has not answered yet. */
export interface Work {
  readonly step: number;
  readonly range: MicroBatchRange;
  readonly probe: boolean;
  readonly since: number;
  /** From then on others may compute it too. */
  readonly lateAt: number;
  /** From then on the member is not waited for. */
  readonly stuckAt: number;
}

/** A clock too coarse to see a range's time must not make a member infinitely fast. */
const LEAST_PACE = 1e-9;

/** A spare that answers so many times sooner than before is soon asked again. */
const RECOVERED = 2;

/** A member of the run, as the core knows it. All times are in seconds. */
export class Member {
  readonly id: MemberId;
  readonly threads: number;
  readonly local: boolean;
  /** It is not asked to compute: that costs more than it is worth. */
  benched = false;
  readonly #price: Price | null;
  readonly #traffic: Readonly<Traffic>;
  readonly #joinedAt: number;
  #answers = 0;
  work: Work | undefined;
  /** The step whose weights it has. */
  weights: number | undefined;
  silent = false;
  stuck = false;
  readonly #link = new Recent();
  readonly #pace = new Recent();
  /** What it was told, and since when that has not been so. */
  #spare = false;
  #spareSince: number | undefined;
  #otherwiseSince: number | undefined;
  #probeAt = 0;
  #probePause: number = limits.probe.first;

  /** @param now when it joined */
  constructor(id: MemberId, { threads, local, price, traffic }: MemberProfile, now: number) {
    this.id = id;
    this.threads = threads;
    this.local = local;
    this.#price = price;
    this.#traffic = traffic;
    this.#joinedAt = now;
  }

  /** Micro-units that a second of it costs; none if nobody says. */
  get perSecond(): number {
    return Number(this.#price?.perHour ?? 0n) / 3600;
  }

  /** Micro-units that sending an answer costs, on average. */
  get perAnswer(): number {
    const perByte = Number(this.#price?.perGigabyte ?? 0n) / 1e9;
    return (perByte * this.#traffic.sent) / Math.max(1, this.#answers);
  }

  /** Seconds from now on that are billed whether it stays or not. */
  paidSeconds(now: number): number {
    return Math.max(0, (this.#price?.minimumSeconds ?? 0) - (now - this.#joinedAt));
  }

  /** Whether it has been told long ago that it is a spare, and has been tried since. */
  isIdleForLong(now: number): boolean {
    const { answers, seconds } = limits.release;
    const since = this.#spareSince ?? Infinity;
    return this.work === undefined && this.#answers >= answers && now - since >= seconds;
  }

  /** It can be counted on. */
  get present(): boolean {
    return !this.silent && !this.stuck;
  }

  get idle(): boolean {
    return this.present && this.work === undefined;
  }

  /** Undefined until it has answered. */
  get speed(): Speed | undefined {
    const pace = this.#pace.typical;
    return pace === undefined ? undefined : { link: this.#link.typical ?? 0, pace };
  }

  /** Gives it work; `speed` is measured or guessed, and undefined if nobody knows. */
  begin(work: Pick<Work, 'step' | 'range' | 'probe'>, speed: Speed | undefined, now: number): void {
    const { late, stuck } = limits;
    const { first, last } = work.range;
    const predicted = speed && speed.link + (last - first) * speed.pace;
    const lateAfter = predicted === undefined ? late.unknown : late.factor * predicted + late.slack;
    const stuckAfter =
      this.speed === undefined || predicted === undefined
        ? stuck.unknown
        : Math.max(stuck.least, stuck.factor * predicted);
    this.work = { ...work, since: now, lateAt: now + lateAfter, stuckAt: now + stuckAfter };
  }

  /** Takes its answer to its work. @param computed seconds that it says it computed */
  end({ range, since, probe }: Work, computed: number, now: number): void {
    const elapsed = Math.max(0, now - since);
    const own = this.local ? elapsed : Math.min(Math.max(0, computed), elapsed);
    if (probe && this.speed) {
      const { link, pace } = this.speed;
      const before = link + (range.last - range.first) * pace;
      if (elapsed < before / RECOVERED) this.#probeSoon(now);
    }
    this.#link.add(elapsed - own);
    this.#answers += 1;
    this.#pace.add(Math.max(LEAST_PACE, own / (range.last - range.first)));
    this.work = undefined;
    this.stuck = false;
  }

  /** When its work will be late, or when it will be stuck, whichever is next; else Infinity. */
  deadline(now: number): number {
    if (!this.work) return Infinity;
    const { lateAt } = this.work;
    const stuckAt = this.local || this.stuck ? Infinity : this.work.stuckAt;
    return lateAt > now ? Math.min(lateAt, stuckAt) : stuckAt;
  }

  /** Whether it is time to see how fast it is (again). */
  probeDue(now: number): boolean {
    return this.idle && now >= this.#probeAt;
  }

  /** It was given a probe: the next one comes later, and the one after later still. */
  probed(now: number): void {
    this.#probeAt = now + this.#probePause;
    this.#probePause = Math.min(2 * this.#probePause, limits.probe.longest);
  }

  /** It was given a share: should it lose it for more than a try, it is probed soon. */
  used(now: number): void {
    if (this.#spare) this.#probeAt = now + this.#probePause;
    else this.#probeSoon(now);
  }

  #probeSoon(now: number): void {
    this.#probePause = limits.probe.first;
    this.#probeAt = now + this.#probePause;
  }

  /**
   * Looks, once the shares of a step are given out, whether it has one: true if it is news that it
   * is a spare, false if it is news that it is none, undefined if there is no news. What is told
   * has been so for a while.
   */
  standing(step: number, now: number): boolean | undefined {
    if (this.local || !this.speed || (this.work && this.work.step !== step)) return undefined;
    const used = this.work !== undefined && !this.work.probe;
    if (used !== this.#spare) {
      this.#otherwiseSince = undefined;
      return undefined;
    }
    this.#otherwiseSince ??= now;
    if (now - this.#otherwiseSince < limits.spareAfter) return undefined;
    this.#otherwiseSince = undefined;
    this.#spare = !used;
    this.#spareSince = used ? undefined : now;
    return this.#spare;
  }
}
