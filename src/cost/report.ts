import {
  type Account,
  accountCost,
  isPriced,
  type LedgerState,
  secondsOf,
  totalCost,
} from './ledger.js';
import { formatAmount, type Micros, share } from './money.js';
import { billedSeconds, costOf, readPrice, type StatedPrice } from './price.js';
import { accountTotal } from './summary.js';

/** An epoch's end, as metrics.jsonl has it. */
export interface EpochCost {
  readonly epoch: number;
  readonly step: number;
  /** Of 1, on the test samples. */
  readonly accuracy: number;
  /** Worker-seconds until then, and what had been spent: null without prices. */
  readonly seconds: number;
  readonly total: string | null;
}

/** What something cost: in worker-seconds, and in money if there are prices. */
export interface Expense {
  readonly seconds: number;
  readonly total: string | null;
}

/** Time that was paid and brought the run no further; `share` is of all time, of 1. */
interface Waste extends Expense {
  readonly share: number;
}

export interface WorkerReport extends Expense {
  readonly name: string;
  readonly threads: number;
  readonly price: StatedPrice | null;
  /** Seconds that are paid: begun ones count, and the minimum. */
  readonly billed: number | null;
  readonly computed: number;
  readonly waited: number;
  readonly idled: number;
  /** Of what it computed: for nothing, since another was sooner, or since it was lost. */
  readonly duplicated: number;
  readonly lost: number;
  readonly samples: number;
  /** Bytes. */
  readonly sent: number;
  readonly received: number;
  /** From when to when it was there, in seconds of the run. */
  readonly stays: readonly (readonly [number, number])[];
}

/** All that a run's ledger tells. Times in seconds, amounts as decimal strings. */
export interface CostReport extends Expense {
  readonly currency: string | null;
  /** What a unit of other currencies was taken for. */
  readonly rates: LedgerState['rates'];
  readonly starts: readonly { readonly date: string; readonly at: number; readonly step: number }[];
  readonly workers: readonly WorkerReport[];
  /** Who had no price, so that the total is without them. */
  readonly unpriced: readonly string[];
  readonly samples: number;
  /** Null where nothing has come of it yet. */
  readonly perEpoch: Expense | null;
  readonly perMillionSamples: Expense | null;
  /** For each percent of test accuracy above chance. */
  readonly perPercent: Expense | null;
  readonly waste: Readonly<Record<WasteKind, Waste>>;
  readonly epochs: readonly EpochCost[];
}

/** Waiting for others and messages; without a share; computed twice; lost to faults. */
export type WasteKind = 'waiting' | 'idle' | 'duplicated' | 'lost';

const wasted: Readonly<Record<WasteKind, (account: Account) => number>> = {
  waiting: ({ waited }) => waited,
  idle: ({ idled }) => idled,
  duplicated: ({ duplicated }) => duplicated,
  lost: ({ lost }) => lost,
};

/**
 * @param epochs that have ended, in order
 * @param samplesPerEpoch and `classes` of the data set
 */
export function costReport(
  ledger: LedgerState,
  epochs: readonly EpochCost[],
  { samplesPerEpoch, classes }: { readonly samplesPerEpoch: number; readonly classes: number },
): CostReport {
  const { accounts, currency, rates, starts } = ledger;
  const priced = isPriced(ledger);
  const total = totalCost(ledger);
  const micros = accounts.reduce((sum, account) => sum + micro(account), 0);
  const samples = accounts.reduce((sum, account) => sum + account.samples, 0);
  const gained = 100 * ((epochs.at(-1)?.accuracy ?? 0) - 1 / classes);
  const each = (units: number): Expense | null =>
    units > 0
      ? {
          seconds: micros / 1e6 / units,
          total: priced ? formatAmount(share(total, SCALE, scaled(units))) : null,
        }
      : null;
  const waste = (kind: WasteKind): Waste => {
    const parts = accounts.map((account) => [account, wasted[kind](account)] as const);
    const part = parts.reduce((sum, [, time]) => sum + time, 0);
    const cost = parts.reduce((sum, [account, time]) => sum + partOf(account, time), 0n);
    return {
      seconds: part / 1e6,
      share: micros > 0 ? part / micros : 0,
      total: priced ? formatAmount(cost) : null,
    };
  };
  return {
    currency: priced ? currency : null,
    total: priced ? formatAmount(total) : null,
    seconds: micros / 1e6,
    rates,
    starts: starts.map(({ date, at, step }) => ({ date, at: at / 1e6, step })),
    workers: accounts.map(workerReport),
    unpriced: priced ? accounts.filter(({ price }) => !price).map(({ name }) => name) : [],
    samples,
    perEpoch: each(samples / samplesPerEpoch),
    perMillionSamples: each(samples / 1e6),
    perPercent: epochs.length > 0 ? each(gained) : null,
    waste: {
      waiting: waste('waiting'),
      idle: waste('idle'),
      duplicated: waste('duplicated'),
      lost: waste('lost'),
    },
    epochs,
  };
}

/** Parts of a unit that are told apart where a cost is divided. */
const SCALE = 1_000_000n;

function scaled(units: number): bigint {
  return BigInt(Math.max(1, Math.round(units * 1e6)));
}

function micro({ computed, waited, idled }: Account): number {
  return computed + waited + idled;
}

/** What so many microseconds of a member's time cost, of all that it costs. */
function partOf(account: Account, time: number): Micros {
  const whole = micro(account);
  return whole === 0 ? 0n : share(accountCost(account), BigInt(time), BigInt(whole));
}

function workerReport(account: Account): WorkerReport {
  const { name, threads, price, samples, sent, received, stays } = account;
  const seconds = secondsOf(account);
  return {
    name,
    seconds,
    total: accountTotal(account),
    threads,
    price,
    billed: price && billedSeconds(readPrice(price), seconds),
    computed: account.computed / 1e6,
    waited: account.waited / 1e6,
    idled: account.idled / 1e6,
    duplicated: account.duplicated / 1e6,
    lost: account.lost / 1e6,
    samples,
    sent,
    received,
    stays: stays.map(([from, to]) => [from / 1e6, to / 1e6]),
  };
}

/** Moments between the first and the last at which a cost is given, beside those of changes. */
const MOMENTS = 60;

/**
 * What a run had cost by each moment, in micro-units, or in worker-microseconds without prices. What
 * a member sent counts as if it had sent it evenly.
 */
export function costOverTime(
  ledger: LedgerState,
): { readonly at: number; readonly cost: number }[] {
  const priced = isPriced(ledger);
  const even = Array.from({ length: MOMENTS + 1 }, (_, index) =>
    Math.round((ledger.at * index) / MOMENTS),
  );
  const changes = ledger.accounts.flatMap(({ stays }) => stays.flat());
  const moments = [...new Set([...even, ...changes])].sort((one, other) => one - other);
  return moments.map((at) => {
    const costs = ledger.accounts.map((account) =>
      priced ? Number(costBy(account, at)) : presence(account, at),
    );
    return { at: at / 1e6, cost: costs.reduce((sum, cost) => sum + cost, 0) };
  });
}

function presence({ stays }: Account, at: number): number {
  return stays.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, at) - from), 0);
}

function costBy(account: Account, at: number): Micros {
  const { price, stays, sent } = account;
  if (!price || stays.every(([from]) => from > at)) return 0n;
  const there = presence(account, at);
  const bytes = Math.round((sent * there) / Math.max(1, presence(account, Infinity)));
  return costOf(readPrice(price), there / 1e6, bytes);
}
