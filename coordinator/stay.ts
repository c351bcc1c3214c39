import type { Account } from '../src/cost/ledger.js';
import type { MemberProfile, Traffic } from './core-messages.js';
import type { MicroBatchRange } from './ranges.js';

export type OpenAccount = { -readonly [K in keyof Account]: Account[K] };

/** What a member is at work on. */
export type Job =
  | { readonly type: 'range'; readonly step: number; readonly range: MicroBatchRange }
  | { readonly type: 'lease'; readonly step: number }
  | { readonly type: 'evaluation' };

/** Stays of one account that are told apart; later ones lengthen the last. */
const MOST_STAYS = 100;

/**
 * A member's time from joining to leaving: each microsecond counts as computed, waited or idled,
 * once. Moments and times are in microseconds.
 */
export class Stay {
  readonly account: OpenAccount;
  readonly local: boolean;
  readonly #traffic: Readonly<Traffic>;
  readonly #before: Readonly<Traffic>;
  #bucket: 'computed' | 'waited' | 'idled' = 'idled';
  #since: number;
  #job: Job | undefined;
  /** Time at work for the last answer, until it is known whether that is of use. */
  #answer = 0;

  constructor(account: OpenAccount, { local, traffic }: MemberProfile, at: number) {
    this.account = account;
    this.local = local;
    this.#traffic = traffic;
    this.#before = { sent: account.sent, received: account.received };
    this.#since = at;
    if (account.stays.length < MOST_STAYS) account.stays = [...account.stays, [at, at]];
  }

  get job(): Job | undefined {
    return this.#job;
  }

  begin(job: Job, at: number): void {
    this.#settle('computed', at);
    this.#job = job;
    this.#answer = 0;
  }

  /** The job is done; so much of its time went into computing. */
  end(computed: number, at: number): void {
    const elapsed = at - this.#since;
    this.#answer = Math.min(Math.max(0, computed), elapsed);
    this.account.waited += elapsed - this.#answer;
    this.#since = at - this.#answer;
    this.#settle('waited', at);
  }

  /** The time of the last answer, which is asked for once. */
  takeAnswer(): number {
    const answer = this.#answer;
    this.#answer = 0;
    return answer;
  }

  /** It has no share of the step that begins, if it has been waiting. */
  rest(at: number): void {
    if (this.#bucket === 'waited') this.#settle('idled', at);
  }

  /** Ends what it is at. @returns the time at work that comes to nothing */
  drop(at: number): number {
    const futile = this.#job && this.#job.type !== 'evaluation' ? at - this.#since : 0;
    this.#settle('idled', at);
    return futile;
  }

  /** The account if it ended at this moment; what is being computed counts as computed. */
  standing(at: number): Account {
    const { account } = this;
    const [from = at] = account.stays.at(-1) ?? [];
    return {
      ...account,
      [this.#bucket]: account[this.#bucket] + at - this.#since,
      stays: [...account.stays.slice(0, -1), [from, at]],
      sent: this.#before.sent + this.#traffic.sent,
      received: this.#before.received + this.#traffic.received,
    };
  }

  /** Writes the stay into the account. */
  close(at: number): void {
    Object.assign(this.account, this.standing(at));
  }

  /** Counts the time up to now; what comes counts as something else. */
  #settle(next: 'computed' | 'waited' | 'idled', at: number): void {
    this.account[this.#bucket] += at - this.#since;
    this.#bucket = next;
    this.#since = at;
    this.#job = undefined;
  }
}
