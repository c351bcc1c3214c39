import type { TrainConfig } from '../src/config/types.js';
import { type LedgerState, totalCost } from '../src/cost/ledger.js';
import { converted, formatAmount, type Micros, parseMoney } from '../src/cost/money.js';
import { leastCost } from '../src/cost/price.js';
import type { Pricing } from '../src/cost/pricing.js';
import { DtrainError } from '../src/errors.js';

/**
 * The most that a run may cost, in its currency; null if that is not said.
 * @param paid what it has cost before, if it is resumed
 * @throws DtrainError USAGE if the budget cannot be kept, whatever happens: before anything is spent
 */
export function budgetOf(
  { budget, threads }: Pick<TrainConfig, 'budget' | 'threads'>,
  pricing: Pricing,
  paid: LedgerState | undefined,
): Micros | null {
  const money = budget === null ? undefined : parseMoney(budget);
  if (!money) return null;
  const most = inCurrency(money, pricing);
  const text = (amount: Micros): string => `${formatAmount(amount)} ${pricing.currency}`;
  if (most === undefined) {
    throw usage(
      `--budget is in ${money.currency}, and the run is in ${pricing.currency}: add --rate ${money.currency}= and what one ${money.currency} is worth.`,
    );
  }
  if (pricing.own === null && threads > 0) {
    throw usage(
      '--budget is about what machines cost, and nobody says what this one does: add --price 0.12/h, or 0/h.',
    );
  }
  const before = paid ? totalCost(paid) : 0n;
  if (before >= most) {
    throw usage(
      `The run has cost ${text(before)} already, and its budget is ${text(most)}: raise --budget, which is for the run from its beginning.`,
    );
  }
  const least = pricing.own ? leastCost(pricing.own) : 0n;
  if (before + least > most) {
    throw usage(
      `A budget of ${text(most)} is too small for one step: this machine alone costs at least ${text(least)}.`,
    );
  }
  return most;
}

function inCurrency(
  { amount, currency }: { readonly amount: Micros; readonly currency: string | null },
  pricing: Pricing,
): Micros | undefined {
  if (currency === null || currency === pricing.currency) return amount;
  const rate = pricing.rates.get(currency);
  return rate === undefined ? undefined : converted(amount, rate);
}

/** The budget is used up, and no step was taken. */
export function budgetTooSmall(budget: Micros, { currency }: Pricing): DtrainError {
  return usage(
    `A budget of ${formatAmount(budget)} ${currency} is too small for one step of this fleet: raise --budget, or take fewer or cheaper workers.`,
  );
}

function usage(message: string): DtrainError {
  return new DtrainError('USAGE', message);
}
