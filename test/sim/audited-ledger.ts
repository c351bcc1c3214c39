import type { CoreCommand, CoreEvent, MemberId } from '../../coordinator/core-messages.js';
import { LOCAL } from '../../coordinator/core-messages.js';
import type { Ledger } from '../../coordinator/ledger.js';
import {
  type Account,
  accountCost,
  type LedgerState,
  rolledBack,
  totalCost,
} from '../../src/cost/ledger.js';
import { readPrice } from '../../src/cost/price.js';
import { Pricing } from '../../src/cost/pricing.js';
import type { BatchPlan } from '../../src/data/batches.js';
import { profileOf } from '../coordinator/profiles.js';
import { check } from './check.js';

/** What has become of the ledger of a run by the time its coordinator crashes. */
export interface LedgerOnDisk {
  recorded: LedgerState | undefined;
}

export type LedgerLike = Pick<Ledger, 'watch' | 'spent' | 'state'>;

interface AuditOptions {
  readonly makeLedger: (...options: ConstructorParameters<typeof Ledger>) => LedgerLike;
  readonly plan: BatchPlan;
  readonly firstStep: number;
  /** Samples trained on before, as the run itself counts them. */
  readonly samples: number;
  readonly localThreads: number;
  readonly checkpoint: LedgerState | undefined;
  readonly disk: LedgerOnDisk;
}

/** Seconds between two times at which the ledger is recorded. */
const RECORDED_EVERY = 1;

/** The ledger of one life of the coordinator, and whether its sums are what they must be. */
export class AuditedLedger {
  readonly ledger: LedgerLike;
  readonly #disk: LedgerOnDisk;
  /** Since when each member is there. */
  readonly #since = new Map<MemberId, number>();
  readonly #start: { readonly at: number; readonly now: number };
  #recordedAt: number;
  /** Microseconds that members were there, for those who are gone. */
  #past: number;
  #paid: bigint;

  constructor(options: AuditOptions, now: number) {
    const { disk, checkpoint, plan, firstStep, localThreads, samples } = options;
    const before = rolledBack(checkpoint, disk.recorded);
    const local = profileOf({ name: 'local', threads: localThreads, local: true, price });
    const pricing = Pricing.none();
    this.ledger = options.makeLedger({ plan, pricing, local, firstStep, before, date: '' }, now);
    this.#disk = disk;
    this.#start = { at: before?.at ?? 0, now };
    this.#recordedAt = now;
    this.#since.set(LOCAL, this.#moment(now));
    const { recorded } = disk;
    const latest = recorded && recorded.at > (checkpoint?.at ?? -1) ? recorded : checkpoint;
    this.#past = latest ? sum(latest, presence) : 0;
    this.#paid = latest ? totalCost(latest) : 0n;
    this.#check(now, samples);
  }

  /**
   * An event and what the core wanted because of it.
   * @param samples trained on by now, if the core has heard of all of them
   */
  watch(
    event: CoreEvent<unknown>,
    now: number,
    commands: readonly CoreCommand<unknown>[],
    samples: number | undefined,
  ): void {
    if (event.type === 'joined' && event.member !== LOCAL) {
      this.#since.set(event.member, this.#moment(now));
    }
    if (event.type === 'left') this.#gone(event.member, now);
    for (const command of commands) {
      if (command.type === 'expel') this.#gone(command.member, now);
    }
    // The sums of all other moments are in those.
    if (samples !== undefined || event.type === 'left' || event.type === 'evaluated') {
      this.#check(now, samples);
    }
  }

  #gone(member: MemberId, now: number): void {
    const since = this.#since.get(member);
    if (since === undefined) return;
    this.#past += this.#moment(now) - since;
    this.#since.delete(member);
  }

  #moment(now: number): number {
    return this.#start.at + Math.round((now - this.#start.now) * 1e6);
  }

  #check(now: number, samples: number | undefined): void {
    const state = this.ledger.state(now);
    for (const account of state.accounts) checkAccount(account);
    const at = this.#moment(now);
    const there = [...this.#since.values()].reduce(
      (total, since) => total + at - since,
      this.#past,
    );
    const counted = sum(state, presence);
    check(counted === there, `${counted} microseconds are accounted for, and there were ${there}`);
    const trained = sum(state, (account) => account.samples);
    const whole = samples === undefined || trained === samples;
    check(whole, `${trained} samples are accounted for, and there were ${samples}`);
    const paid = totalCost(state);
    check(paid >= this.#paid, 'what was paid is paid no more');
    check(paid === this.ledger.spent(now), 'what was spent is not what it costs');
    this.#paid = paid;
    if (now - this.#recordedAt < RECORDED_EVERY) return;
    this.#recordedAt = now;
    this.#disk.recorded = state;
  }
}

const FREE = { perHour: '0', currency: null, minimumSeconds: 0, perGigabyte: '0' };

/** Of the coordinator's machine. */
const price = { perHour: 3_600_000n, currency: 'USD', minimumSeconds: 2, perGigabyte: 0n };

function checkAccount(account: Account): void {
  const { name, computed, waited, idled, duplicated, lost, samples, stays } = account;
  const times = [computed, waited, idled, duplicated, lost, samples];
  check(Math.min(...times) >= 0, `${name} has something below nothing: ${times.join(', ')}`);
  const wasted = duplicated + lost;
  check(wasted <= computed, `${name} wasted ${wasted} of the ${computed} that it computed`);
  let stayed = 0;
  let end = 0;
  for (const [from, to] of stays) {
    check(from >= end && to >= from, `${name} has stays that overlap`);
    stayed += to - from;
    end = to;
  }
  const there = presence(account);
  check(
    stays.length === 100 || stayed === there,
    `${name} stayed ${stayed}, and was there ${there}`,
  );
  // Nothing is sent here, so a price by the gigabyte brings nothing.
  const { perHour, minimumSeconds } = readPrice(account.price ?? FREE);
  const seconds = Math.max(minimumSeconds, Math.ceil(there / 1e6));
  const cost = Number(accountCost(account));
  const apart = Math.abs(cost - (Number(perHour) * seconds) / 3600);
  check(apart <= 0.5, `${name} costs ${cost} for ${seconds} seconds`);
}

function presence({ computed, waited, idled }: Account): number {
  return computed + waited + idled;
}

function sum({ accounts }: LedgerState, of: (account: Account) => number): number {
  return accounts.reduce((total, account) => total + of(account), 0);
}
