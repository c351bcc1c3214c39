import { z } from 'zod';
import {
  converted,
  formatAmount,
  isCurrency,
  type Micros,
  parseAmount,
  parseMoney,
  share,
} from './money.js';

/** What a worker costs while it is there. */
export interface Price {
  readonly perHour: Micros;
  /** Code of the currency; null: that of the run, whichever it is. */
  readonly currency: string | null;
  /** Seconds that are billed at least, however short the worker was there. */
  readonly minimumSeconds: number;
  /** For each 10^9 bytes that it sends. */
  readonly perGigabyte: Micros;
}

/** The longest minimum, in seconds: a month. */
export const LONGEST_MINIMUM = 31 * 24 * 3600;

const SECONDS_PER_HOUR = 3600n;
const BYTES_PER_GIGABYTE = 10n ** 9n;

/** What `parsePerHour` takes, as it continues "must be …". */
export const PER_HOUR = 'a price for an hour such as 0.12/h or "0.12 EUR/h"';

/** Reads `0.12/h`, `0.12 EUR/h`. */
export function parsePerHour(text: string): Pick<Price, 'perHour' | 'currency'> | undefined {
  const [, money] = /^(.*?) ?\/ ?h$/.exec(text.trim()) ?? [];
  const parsed = money === undefined ? undefined : parseMoney(money);
  return parsed && { perHour: parsed.amount, currency: parsed.currency };
}

/** What electricity costs in an hour. @param perKilowattHour the price of 1 kWh */
export function electricity(watts: number, perKilowattHour: Micros): Micros {
  return share(perKilowattHour, BigInt(Math.round(watts * 1000)), 1_000_000n);
}

/** By the second: one that has begun counts, and the minimum counts in any case. */
export function billedSeconds({ minimumSeconds }: Price, seconds: number): number {
  return Math.max(minimumSeconds, Math.ceil(seconds));
}

/** What a worker costs that was there for `seconds` and sent `bytes`. */
export function costOf(price: Price, seconds: number, bytes: number): Micros {
  const time = share(price.perHour, BigInt(billedSeconds(price, seconds)), SECONDS_PER_HOUR);
  return time + share(price.perGigabyte, BigInt(bytes), BYTES_PER_GIGABYTE);
}

/** What a worker costs at least, however soon it goes. */
export function leastCost(price: Price): Micros {
  return costOf(price, 1, 0);
}

/**
 * The price in another currency, its amounts rounded.
 * @param rate what one unit of the price's currency is worth in `currency`
 */
export function convert(price: Price, currency: string, rate: Micros): Price {
  return {
    ...price,
    currency,
    perHour: converted(price.perHour, rate),
    perGigabyte: converted(price.perGigabyte, rate),
  };
}

const amountText = z.string().refine((text) => parseAmount(text) !== undefined);

/** A price as files and messages hold it: amounts are decimal strings. */
export const statedPrice = z.strictObject({
  perHour: amountText,
  currency: z.string().refine(isCurrency).nullable(),
  minimumSeconds: z.int().min(0).max(LONGEST_MINIMUM),
  perGigabyte: amountText,
});
export type StatedPrice = z.infer<typeof statedPrice>;

export function statePrice(price: Price): StatedPrice {
  const { perHour, perGigabyte } = price;
  return {
    ...price,
    perHour: formatAmount(perHour),
    perGigabyte: formatAmount(perGigabyte),
  };
}

/** @param stated as `statedPrice` accepts it */
export function readPrice(stated: StatedPrice): Price {
  return {
    ...stated,
    perHour: parseAmount(stated.perHour) ?? 0n,
    perGigabyte: parseAmount(stated.perGigabyte) ?? 0n,
  };
}

/** `0.12 EUR/h, at least 60 s, 0.09 EUR for each GB sent` */
export function priceText({ perHour, currency, minimumSeconds, perGigabyte }: Price): string {
  const money = (amount: Micros): string =>
    currency === null ? formatAmount(amount) : `${formatAmount(amount)} ${currency}`;
  return [
    `${money(perHour)}/h`,
    ...(minimumSeconds > 0 ? [`at least ${minimumSeconds} s`] : []),
    ...(perGigabyte > 0n ? [`${money(perGigabyte)} for each GB sent`] : []),
  ].join(', ');
}
