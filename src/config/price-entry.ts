import { parseMoney } from '../cost/money.js';
import { oneCurrency, type PriceSettings } from '../cost/own-price.js';
import { parsePerHour } from '../cost/price.js';
import { defaultPriceFile, isDate, type PriceEntry } from '../cost/price-file.js';
import { DtrainError } from '../errors.js';
import { costOptions } from './cost-options.js';
import type { TableOf } from './option.js';
import { options } from './options.js';
import type { Parser } from './parsers.js';
import { Settings, type Sources } from './settings.js';

interface EntryValues extends Omit<PriceSettings, 'instance' | 'spot'> {
  readonly spot: boolean;
  readonly date: string | null;
  readonly source: string | null;
  readonly currency: string | null;
  readonly json: boolean;
  readonly verbose: boolean;
}

const printable: Parser<string> = {
  expects: 'a text that is not empty, on one line',
  parse: (value) => (typeof value === 'string' && /^[^\p{C}]+$/u.test(value) ? value : undefined),
};

const day: Parser<string> = {
  expects: 'a day such as 2026-11-20',
  parse: (value) => (typeof value === 'string' && isDate(value) ? value : undefined),
};

const { price, watts, kwh, perGb, billingMinimum } = costOptions;

/** The options of `dtrain prices` and the commands under it. */
export const entryOptions: TableOf<EntryValues> = {
  spot: { ...costOptions.spot, description: 'the spot price of the instance' },
  price: { ...price, description: 'what the instance costs: 0.0725/h, "0.0725 USD/h"' },
  watts,
  kwh,
  currency: {
    ...costOptions.currency,
    description: 'currency, unless the price names it',
    defaultText: 'none',
  },
  perGb,
  billingMinimum,
  date: {
    flag: '--date <day>',
    description: 'day on which the source said so: 2026-11-20',
    default: null,
    defaultText: 'today',
    parser: day,
  },
  source: {
    flag: '--source <text>',
    description: 'where the price is from: an address, a bill',
    default: null,
    parser: printable,
  },
  prices: costOptions.prices,
  json: options.json,
  verbose: options.verbose,
};

export function resolvePriceFile(sources: Sources): { file: string; json: boolean; spot: boolean } {
  const settings = new Settings(entryOptions, sources);
  return {
    file: settings.get('prices') ?? defaultPriceFile(),
    json: settings.get('json'),
    spot: settings.get('spot'),
  };
}

/**
 * What `dtrain prices set` is to write.
 * @param today a day such as 2026-11-20
 * @throws DtrainError USAGE if something is missing or does not go together
 */
export function resolveEntry(instance: string, sources: Sources, today: string): PriceEntry {
  const settings = new Settings(entryOptions, sources);
  if (costOptions.instance.parser.parse(instance) === undefined) {
    throw usage(`The instance must be ${costOptions.instance.parser.expects}.`);
  }
  const way = settings.chosen(['price', 'watts']);
  const perHour = parsePerHour((way === 'price' ? settings.get('price') : null) ?? '');
  const energy = parseMoney((way === 'watts' ? settings.get('kwh') : null) ?? '');
  const drawn = settings.get('watts');
  const data = parseMoney(settings.get('perGb') ?? '');
  const minimum = settings.get('billingMinimum');
  if (!perHour && !energy) {
    throw usage('Say what it costs: --price "0.0725 USD/h", or --watts 65 --kwh "0.30 EUR".');
  }
  const source = settings.get('source');
  if (source === null)
    throw usage('Say where the price is from: --source and an address or a bill.');
  const own = oneCurrency(perHour?.currency ?? energy?.currency ?? null, data?.currency ?? null);
  const currency = own ?? settings.get('currency');
  if (currency === null)
    throw usage('Say in which currency: --price "0.0725 USD/h", or --currency USD.');
  return {
    instance,
    ...(settings.get('spot') && { spot: true }),
    ...(way === 'price'
      ? { perHour: digits(settings.get('price')) }
      : { watts: drawn ?? 0, perKilowattHour: digits(settings.get('kwh')) }),
    currency,
    ...(minimum !== null && { minimumSeconds: minimum }),
    ...(data && { perGigabyte: digits(settings.get('perGb')) }),
    date: settings.get('date') ?? today,
    source,
  };
}

/** The amount alone of `0.0725 USD/h`. */
function digits(text: string | null): string {
  return /^[\d.]+/.exec((text ?? '').trim())?.[0] ?? '0';
}

function usage(message: string): DtrainError {
  return new DtrainError('USAGE', message);
}
