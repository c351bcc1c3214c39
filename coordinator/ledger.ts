import { isDeepStrictEqual } from 'node:util';
import { accountCost, type Account, type LedgerState } from '../src/cost/ledger.js';
import { formatAmount, type Micros } from '../src/cost/money.js';
import { type StatedPrice, statePrice } from '../src/cost/price.js';
import type { Pricing } from '../src/cost/pricing.js';
import { batchOf, type BatchPlan, samplesOf } from '../src/data/batches.js';
import {
  type CoreCommand,
  type CoreEvent,
  LOCAL,
  type MemberId,
  type MemberProfile,
} from './core-messages.js';
import { type Job, type OpenAccount, Stay } from './stay.js';

export interface LedgerOptions {
  readonly plan: BatchPlan;
  readonly pricing: Pick<Pricing, 'currency' | 'rates'>;
  /** The coordinator's machine. It is there from the start if it computes or has a price. */
  readonly local: MemberProfile;
  readonly firstStep: number;
  /** What the run has cost before, if it is resumed. */
  readonly before?: LedgerState | undefined;
  /** The date and time, ISO 8601. */
  readonly date: string;
}

type Event<T extends CoreEvent<unknown>['type']> = CoreEvent<unknown> & { readonly type: T };
type Command<T extends CoreCommand<unknown>['type']> = CoreCommand<unknown> & { readonly type: T };

/** Members by name and price, whether they are there or have been. */
const MOST_ACCOUNTS = 10_000;

/**
 * A run's accounts, kept from what the core is told and what it wants. `now` is in seconds, of a
 * clock that only goes forward.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #accounts: OpenAccount[];
  readonly #starts: LedgerState['starts'];
  readonly #stays = new Map<MemberId, Stay>();
  /** The moment at which this coordinator began, and what its clock was then. */
  readonly #began: { readonly at: number; readonly clock: number };
  #at: number;
  /** The step that members have shares of; whether it is still to be taken. */
  #step: number | undefined;
  #stepOpen = false;
  /** Answers for it, which count once it is taken. */
  #pending: { readonly account: OpenAccount; samples: number; micros: number }[] = [];

  constructor(options: LedgerOptions, now: number) {
    const { before, date, firstStep, local } = options;
    const at = before?.at ?? 0;
    this.#options = options;
    this.#accounts = (before?.accounts ?? []).map((account) => ({ ...account }));
    this.#starts = [...(before?.starts ?? []), { date, at, step: firstStep }];
    this.#began = { at, clock: now };
    this.#at = at;
    if (local.threads > 0 || local.price) this.#open(LOCAL, local);
  }

  /** So many members have had accounts that there is no room for more. */
  get full(): boolean {
    return this.#accounts.length >= MOST_ACCOUNTS;
  }

  /** Whether anybody has a price. */
  get priced(): boolean {
    return this.#accounts.some(({ price }) => price !== null);
  }

  /** What has happened, and what the core wants because of it. */
  watch(event: CoreEvent<unknown>, now: number, commands: readonly CoreCommand<unknown>[]): void {
    this.#at = this.#moment(now);
    this.#take(event);
    for (const command of commands) this.#follow(command);
    this.#beginStep(commands);
  }

  /** The ledger as it stands. */
  state(now: number): LedgerState {
    const { before, pricing } = this.#options;
    const { currency, rates } = pricing;
    const at = this.#moment(now);
    return {
      at,
      currency,
      rates: {
        ...before?.rates,
        ...Object.fromEntries([...rates].map(([code, rate]) => [code, formatAmount(rate)])),
      },
      starts: this.#starts,
      accounts: this.#standing(at),
    };
  }

  /** What the run has cost by now; or will have, if all who are there stay for more seconds. */
  spent(now: number, more = 0): Micros {
    const at = this.#moment(now) + Math.round(more * 1e6);
    return this.#standing(at).reduce((sum, account) => sum + accountCost(account), 0n);
  }

  #moment(now: number): number {
    const { at, clock } = this.#began;
    return Math.max(this.#at, at + Math.round((now - clock) * 1e6));
  }

  #standing(at: number): Account[] {
    const open = new Map([...this.#stays.values()].map((stay) => [stay.account, stay]));
    return this.#accounts.map((account) => open.get(account)?.standing(at) ?? { ...account });
  }

  #take(event: CoreEvent<unknown>): void {
    const local = this.#stays.get(LOCAL);
    switch (event.type) {
      case 'joined':
        if (!this.#stays.has(event.member)) this.#open(event.member, event.profile);
        return;
      case 'left':
        this.#close(event.member);
        return;
      case 'computed':
        this.#answered(event);
        return;
      case 'checked':
        // How long a check takes the local threads is not known.
        local?.takeAnswer();
        return;
      case 'leased':
        if (local?.job?.type === 'lease') this.#endLease(local, local.job.step, event);
        return;
      case 'updated':
        this.#endStep(event.finite);
        return;
      case 'evaluated':
        if (local?.job?.type === 'evaluation') local.end(Infinity, this.#at);
        return;
      default:
    }
  }

  #follow(command: CoreCommand<unknown>): void {
    switch (command.type) {
      case 'assign': {
        const { member, step, range } = command;
        this.#begin(member, { type: 'range', step, range });
        return;
      }
      case 'lease':
        this.#begin(LOCAL, { type: 'lease', step: command.step });
        return;
      case 'evaluate':
        if (!this.#stays.get(LOCAL)?.job) this.#begin(LOCAL, { type: 'evaluation' });
        return;
      case 'reduce':
        this.#use(command);
        return;
      case 'discard':
        this.#waste(command);
        return;
      case 'expel':
        this.#close(command.member);
        return;
      case 'finish':
        this.#finish();
        return;
      default:
    }
  }

  #open(id: MemberId, profile: MemberProfile): void {
    const { name, threads, price } = profile;
    const account = this.#accountFor(name, threads, price && statePrice(price));
    account.threads = threads;
    this.#stays.set(id, new Stay(account, profile, this.#at));
  }

  /** That of earlier stays, if the price is the same and nobody has it now. */
  #accountFor(name: string, threads: number, price: StatedPrice | null): OpenAccount {
    const taken = new Set([...this.#stays.values()].map(({ account }) => account));
    for (let number = 1; ; number++) {
      const label = number === 1 ? name : `${name}#${number}`;
      const known = this.#accounts.find((account) => account.name === label);
      if (known && !taken.has(known) && isDeepStrictEqual(known.price, price)) return known;
      if (known) continue;
      const account = { ...EMPTY, name: label, threads, price, stays: [] };
      this.#accounts.push(account);
      return account;
    }
  }

  #close(id: MemberId): void {
    const stay = this.#stays.get(id);
    if (!stay) return;
    stay.account.lost += stay.drop(this.#at);
    stay.close(this.#at);
    this.#stays.delete(id);
  }

  #begin(id: MemberId, job: Job): void {
    this.#stays.get(id)?.begin(job, this.#at);
  }

  #answered({ member, step, range, seconds }: Event<'computed'>): void {
    const stay = this.#stays.get(member);
    const job = stay?.job;
    if (!stay || job?.type !== 'range' || job.step !== step) return;
    if (job.range.first !== range.first || job.range.last !== range.last) return;
    stay.end(stay.local ? Infinity : Math.round(seconds * 1e6), this.#at);
  }

  #use({ member, range }: Command<'reduce'>): void {
    const { plan, local } = this.#options;
    const stay = this.#stays.get(member);
    // The coordinator may check an answer although it takes no part in the run.
    const account = stay?.account ?? this.#accountFor(local.name, 0, null);
    const samples = samplesOf(batchOf(plan, this.#step ?? 0), range);
    this.#pending.push({ account, samples, micros: stay?.takeAnswer() ?? 0 });
  }

  #waste({ member, why }: Command<'discard'>): void {
    const stay = this.#stays.get(member);
    if (!stay || why === 'unasked') return;
    stay.account[why === 'doubtful' ? 'lost' : 'duplicated'] += stay.takeAnswer();
  }

  #endStep(taken: boolean): void {
    for (const { account, samples, micros } of this.#pending) {
      if (taken) account.samples += samples;
      else account.lost += micros;
    }
    this.#pending = [];
    this.#stepOpen = false;
  }

  #endLease(local: Stay, first: number, { steps, finite, seconds }: Event<'leased'>): void {
    local.end(Math.round(seconds * 1e6), this.#at);
    const micros = local.takeAnswer();
    this.#stepOpen = false;
    if (!finite) {
      local.account.lost += micros;
      return;
    }
    for (let step = first; step < first + steps; step++) {
      local.account.samples += batchOf(this.#options.plan, step).samples;
    }
  }

  /** Whoever has no share of a step that begins is idle. */
  #beginStep(commands: readonly CoreCommand<unknown>[]): void {
    for (const command of commands) {
      const begins = command.type === 'lease' || (command.type === 'assign' && !command.probe);
      if (!begins || command.step === this.#step) continue;
      this.#step = command.step;
      this.#stepOpen = true;
      for (const stay of this.#stays.values()) stay.rest(this.#at);
    }
  }

  /** What is still computed is of no use: for a step that is taken, or for one that never will be. */
  #finish(): void {
    const wasted = this.#stepOpen ? 'lost' : 'duplicated';
    this.#endStep(false);
    for (const stay of this.#stays.values()) stay.account[wasted] += stay.drop(this.#at);
  }
}

const EMPTY = {
  computed: 0,
  waited: 0,
  idled: 0,
  duplicated: 0,
  lost: 0,
  samples: 0,
  sent: 0,
  received: 0,
};
