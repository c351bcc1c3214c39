import {
  type Account,
  accountCost,
  isPriced,
  type LedgerState,
  secondsOf,
  totalCost,
} from './ledger.js';
import { formatAmount } from './money.js';

/** What a run has cost, as events and files hold it: amounts are decimal strings. */
export interface RunCost {
  /** Null if nobody said what anything costs. */
  readonly currency: string | null;
  readonly total: string | null;
  /** Worker-seconds: for how long each member was there, added up. */
  readonly seconds: number;
  readonly workers: readonly WorkerCost[];
}

interface WorkerCost {
  readonly name: string;
  /** For how long it was there. */
  readonly seconds: number;
  /** Null if its price is not known. */
  readonly total: string | null;
}

export function runCost(ledger: LedgerState): RunCost {
  const { accounts, currency } = ledger;
  const priced = isPriced(ledger);
  return {
    currency: priced ? currency : null,
    total: priced ? formatAmount(totalCost(ledger)) : null,
    seconds: accounts.reduce((sum, account) => sum + secondsOf(account), 0),
    workers: accounts.map((account) => ({
      name: account.name,
      seconds: secondsOf(account),
      total: accountTotal(account),
    })),
  };
}

export function accountTotal(account: Account): string | null {
  return account.price === null ? null : formatAmount(accountCost(account));
}
