import { DtrainError } from '../errors.js';
import { parseMoney } from './money.js';
import { electricity, parsePerHour, type Price } from './price.js';
import { defaultPriceFile, entryName, priceOf, readPrices } from './price-file.js';

/** How a machine's user says what it costs, as text that has been checked. */
export interface PriceSettings {
  /** `0.12/h` or `0.12 EUR/h` */
  readonly price: string | null;
  readonly watts: number | null;
  /** Price of a kilowatt-hour: `0.30` or `0.30 EUR` */
  readonly kwh: string | null;
  /** A name in the price file. */
  readonly instance: string | null;
  readonly spot: boolean;
  /** The price file; null: the user's own in the usual place. */
  readonly prices: string | null;
  /** For each 10^9 bytes sent. */
  readonly perGb: string | null;
  /** Seconds that are billed at least. */
  readonly billingMinimum: number | null;
}

/**
 * What this machine costs, or null if its user does not say.
 * @throws DtrainError USAGE if settings do not go together, or the price file lacks the instance
 */
export async function ownPrice(settings: PriceSettings): Promise<Price | null> {
  const { perGb, billingMinimum } = settings;
  const base = await hourly(settings);
  if (base === null) {
    const alone =
      perGb !== null ? '--per-gb' : billingMinimum !== null ? '--billing-minimum' : null;
    if (alone === null) return null;
    throw usage(`${alone} goes with a price for an hour: add --price 0/h if that is nothing.`);
  }
  const data = perGb === null ? undefined : parseMoney(perGb);
  return {
    ...base,
    currency: oneCurrency(base.currency, data?.currency ?? null),
    perGigabyte: data?.amount ?? base.perGigabyte,
    minimumSeconds: billingMinimum ?? base.minimumSeconds,
  };
}

async function hourly(settings: PriceSettings): Promise<Price | null> {
  const { price, watts, kwh, instance, spot } = settings;
  if (spot && instance === null) throw usage('--spot goes with --instance: name the instance.');
  if (watts !== null && kwh === null) {
    throw usage('--watts goes with --kwh, the price of a kilowatt-hour: add --kwh 0.30.');
  }
  if (kwh !== null && watts === null && price === null && instance === null) {
    throw usage('--kwh goes with --watts, what this machine draws: add --watts 65.');
  }
  const plain = { minimumSeconds: 0, perGigabyte: 0n };
  const perHour = price === null ? undefined : parsePerHour(price);
  if (perHour) return { ...plain, ...perHour };
  const energy = kwh === null || watts === null ? undefined : parseMoney(kwh);
  if (energy && watts !== null) {
    return { ...plain, perHour: electricity(watts, energy.amount), currency: energy.currency };
  }
  return instance === null ? null : lookUp(instance, spot, settings.prices ?? defaultPriceFile());
}

async function lookUp(instance: string, spot: boolean, file: string): Promise<Price> {
  const prices = await readPrices(file);
  const name = entryName({ instance, spot });
  const entry = prices.find((each) => entryName(each) === name);
  if (entry) return priceOf(entry);
  const known = prices.length === 0 ? 'it is empty' : `it has ${prices.map(entryName).join(', ')}`;
  throw usage(
    `There is no price of ${name} in ${file} (${known}): add it with dtrain prices set, or give --price.`,
  );
}

/** The currency of two parts of a price; null if neither names one. */
export function oneCurrency(one: string | null, other: string | null): string | null {
  if (one !== null && other !== null && one !== other) {
    throw usage(`The price is in ${one} and --per-gb in ${other}: give both in one currency.`);
  }
  return one ?? other;
}

function usage(message: string): DtrainError {
  return new DtrainError('USAGE', message);
}
