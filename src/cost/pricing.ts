import { DtrainError } from '../errors.js';
import { type Micros, parseAmount } from './money.js';
import { ownPrice, type PriceSettings } from './own-price.js';
import { convert, parsePerHour, type Price } from './price.js';

/** What a run's operator says about money, as text that has been checked. */
export interface MoneySettings extends PriceSettings {
  /** Null: that of the operator's own prices, else DEFAULT_CURRENCY. */
  readonly currency: string | null;
  /** `EUR=1.08`: what a unit of another currency is worth in the run's. */
  readonly rate: readonly string[];
  /** `NAME=0.12/h` */
  readonly workerPrice: readonly string[];
}

/** Nothing is known of what anything costs. */
export const NO_PRICES: MoneySettings = {
  price: null,
  watts: null,
  kwh: null,
  instance: null,
  spot: false,
  prices: null,
  perGb: null,
  billingMinimum: null,
  currency: null,
  rate: [],
  workerPrice: [],
};

/** Of amounts that name none, where nothing else says so. */
const DEFAULT_CURRENCY = 'USD';

type Rates = ReadonlyMap<string, Micros>;

/** What the members of a run cost, all in one currency. */
export class Pricing {
  readonly currency: string;
  /** What a unit of other currencies is worth in the run's. */
  readonly rates: Rates;
  /** The coordinator's own machine; null if nobody says what it costs. */
  readonly own: Price | null;
  readonly #byName: ReadonlyMap<string, Price>;
  readonly #heeded: boolean;

  private constructor(
    currency: string,
    rates: Rates,
    own: Price | null,
    byName: ReadonlyMap<string, Price>,
    heeded = true,
  ) {
    this.currency = currency;
    this.rates = rates;
    this.own = own;
    this.#byName = byName;
    this.#heeded = heeded;
  }

  /** Of a run that does not care what anything costs, nor in which currency. */
  static none(): Pricing {
    return new Pricing(DEFAULT_CURRENCY, new Map(), null, new Map(), false);
  }

  /**
   * @param before the currency in which the run, which is resumed, has paid so far
   * @param other the currency of the run if no price has one
   * @throws DtrainError USAGE if settings do not go together, or a price cannot be converted
   */
  static async of(
    settings: MoneySettings,
    before: string | null = null,
    other: string | null = null,
  ): Promise<Pricing> {
    if (before !== null && settings.currency !== null && settings.currency !== before) {
      const message = `The run has been paid in ${before} so far: leave --currency ${settings.currency} out.`;
      throw new DtrainError('USAGE', message);
    }
    const own = await ownPrice(settings);
    const named = settings.workerPrice.map(workerPrice);
    const currencies = [own, ...named.map(([, price]) => price)].map((price) => price?.currency);
    const known = currencies.find((code) => typeof code === 'string');
    const currency = before ?? settings.currency ?? known ?? other ?? DEFAULT_CURRENCY;
    const rates = new Map(settings.rate.map(exchangeRate));
    const convertible = (price: Price): Price => {
      const converted = inCurrency(price, currency, rates);
      if (converted) return converted;
      throw new DtrainError('USAGE', `${mixed(price, currency)}: ${advice(price)}.`);
    };
    const byName = new Map(named.map(([name, price]) => [name, convertible(price)]));
    return new Pricing(currency, rates, own && convertible(own), byName);
  }

  /**
   * What a worker costs: what the operator says, else what it states itself.
   * @returns a reason to refuse it instead, if its currency cannot be converted
   */
  of(name: string, stated: Price | null): { price: Price | null } | { refusal: string } {
    const price = this.#heeded ? (this.#byName.get(name) ?? stated) : null;
    const converted = price && inCurrency(price, this.currency, this.rates);
    if (price === null || converted) return { price: converted ?? null };
    return {
      refusal: `${mixed(price, this.currency)}; the coordinator may convert: ${advice(price)}`,
    };
  }
}

function inCurrency(price: Price, currency: string, rates: Rates): Price | undefined {
  if (price.currency === null || price.currency === currency) return { ...price, currency };
  const rate = rates.get(price.currency);
  return rate === undefined ? undefined : convert(price, currency, rate);
}

/** `NAME=0.12/h`, once it has been checked. */
function workerPrice(pair: string): readonly [string, Price] {
  const [name = '', text = ''] = pair.split('=', 2);
  const perHour = parsePerHour(text) ?? { perHour: 0n, currency: null };
  return [name, { ...perHour, minimumSeconds: 0, perGigabyte: 0n }];
}

/** `EUR=1.08`, once it has been checked. */
function exchangeRate(pair: string): readonly [string, Micros] {
  const [currency = '', rate = ''] = pair.split('=', 2);
  return [currency, parseAmount(rate) ?? 0n];
}

function mixed({ currency }: Price, other: string): string {
  return `A price is in ${currency}, and the run is in ${other}`;
}

function advice({ currency }: Price): string {
  return `--rate ${currency}= and what one ${currency} is worth`;
}
