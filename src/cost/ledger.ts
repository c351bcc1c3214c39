import { z } from 'zod';
import { isCurrency, type Micros } from './money.js';
import { costOf, readPrice, statedPrice } from './price.js';

const count = z.int().min(0);
/** A moment of the run: microseconds for which there was a coordinator before it. */
const moment = count;
const micros = count;

const accountSchema = z.strictObject({
  name: z.string(),
  threads: count,
  /** In the ledger's currency; null if nobody says what it costs. */
  price: statedPrice.nullable(),
  /** From when to when it was there; the last one may go on. */
  stays: z.array(z.tuple([moment, moment])),
  /** How long it was at work, waited for others or for messages, and had no share of the steps. */
  computed: micros,
  waited: micros,
  idled: micros,
  /** Of the time at work: for what another computed too, and for what came to nothing. */
  duplicated: micros,
  lost: micros,
  /** That it computed the gradients of, for steps that were taken. */
  samples: count,
  /** Bytes. */
  sent: count,
  received: count,
});

/** What a run has cost so far, and for what. */
export const ledgerSchema = z.strictObject({
  at: moment,
  currency: z.string().refine(isCurrency),
  /** What a unit of another currency was taken for, as decimal strings. */
  rates: z.record(z.string(), z.string()),
  /** When coordinators began, by the clock (ISO 8601), and with which step. */
  starts: z.array(z.strictObject({ date: z.string(), at: moment, step: count })),
  accounts: z.array(accountSchema),
});

/** One member of the run; one that comes back under the same name and price goes on with it. */
export type Account = Readonly<z.infer<typeof accountSchema>>;
export type LedgerState = Readonly<z.infer<typeof ledgerSchema>>;

/** Seconds for which a member was there. */
export function secondsOf({ computed, waited, idled }: Account): number {
  return (computed + waited + idled) / 1e6;
}

/** What a member costs; nothing if it has no price. */
export function accountCost(account: Account): Micros {
  if (account.price === null) return 0n;
  return costOf(readPrice(account.price), secondsOf(account), account.sent);
}

/** Whether anything in the ledger has a price. */
export function isPriced({ accounts }: LedgerState): boolean {
  return accounts.some(({ price }) => price !== null);
}

export function totalCost({ accounts }: LedgerState): Micros {
  return accounts.reduce((sum, account) => sum + accountCost(account), 0n);
}

/**
 * The ledger of a run that goes on from a checkpoint. What was recorded after the checkpoint is
 * paid, and stays; but the steps since then are taken again, so what was computed for them is lost.
 * @param recorded the latest that is known, if it is of the same run
 */
export function rolledBack(
  checkpoint: LedgerState | undefined,
  recorded: LedgerState | undefined,
): LedgerState | undefined {
  if (!recorded || (checkpoint && recorded.at <= checkpoint.at)) return checkpoint;
  const accounts = recorded.accounts.map((account, index) => {
    const before = checkpoint?.accounts[index];
    // What was under way at the checkpoint may have turned out to be of no use since.
    const again = Math.max(0, useful(account) - (before ? useful(before) : 0));
    return { ...account, lost: account.lost + again, samples: before?.samples ?? 0 };
  });
  return { ...recorded, accounts };
}

/** Microseconds at work for steps that were taken, evaluations among them. */
function useful({ computed, duplicated, lost }: Account): number {
  return computed - duplicated - lost;
}
