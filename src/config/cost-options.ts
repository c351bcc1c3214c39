import { isCurrency, parseAmount, parseMoney } from '../cost/money.js';
import { LONGEST_MINIMUM, PER_HOUR, parsePerHour } from '../cost/price.js';
import type { OptionTable } from './option.js';
import { duration, type Parser, path, plainName, yesOrNo } from './parsers.js';
import type { CostKey, OptionKey } from './types.js';

const perHour: Parser<string> = {
  expects: PER_HOUR,
  parse: (value) =>
    typeof value === 'string' && parsePerHour(value) !== undefined ? value : undefined,
};

const money: Parser<string> = {
  expects: 'an amount such as 0.30 or "0.30 EUR"',
  parse: (value) => {
    const text = typeof value === 'number' ? String(value) : value;
    return typeof text === 'string' && parseMoney(text) !== undefined ? text : undefined;
  },
};

const watts: Parser<number> = {
  expects: 'a number of watts from 0 to 1000000',
  parse: (value) => {
    const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? +value : value;
    return typeof number === 'number' && number >= 0 && number <= 1e6 ? number : undefined;
  },
};

const instance: Parser<string> = {
  expects: 'a name in the price file, 1 to 64 printable characters without spaces',
  parse: (value) =>
    typeof value === 'string' && /^[\x21-\x7e]{1,64}$/.test(value) ? value : undefined,
};

const minimum: Parser<number> = {
  expects: 'a duration of whole seconds such as 60s, at most 31 days (744h)',
  parse: (value) => {
    const seconds = duration.parse(value);
    const valid = seconds !== undefined && Number.isInteger(seconds) && seconds <= LONGEST_MINIMUM;
    return valid ? seconds : undefined;
  },
};

const currency: Parser<string> = {
  expects: 'the code of a currency, such as EUR',
  parse: (value) => (typeof value === 'string' && isCurrency(value) ? value : undefined),
};

/** `key=value` pairs, separated by commas, each key once. */
function pairs(
  expects: string,
  valid: (key: string, value: string) => boolean,
): Parser<readonly string[]> {
  return {
    expects,
    parse: (value) => {
      const given: readonly unknown[] =
        typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [];
      const keys = new Set<string>();
      for (const pair of given) {
        const [, key = '', text = ''] = /^([^=]*)=(.*)$/.exec(String(pair)) ?? [];
        if (!valid(key, text) || keys.has(key)) return undefined;
        keys.add(key);
      }
      const none = given.length === 0 && !Array.isArray(value);
      return none ? undefined : given.map(String);
    },
  };
}

const rates = pairs(
  "what a unit of another currency is worth in the run's, such as EUR=1.08,GBP=1.27",
  (key, value) => isCurrency(key) && (parseAmount(value) ?? 0n) > 0n,
);

const workerPrices = pairs(
  'prices by the names of workers, such as old-laptop=0.02/h,spot-1=0.05/h',
  (key, value) => plainName.parse(key) !== undefined && parsePerHour(value) !== undefined,
);

/** What machines cost. */
export const costOptions: OptionTable<CostKey> = {
  price: {
    flag: '--price <amount/h>',
    description: 'what this machine costs: 0.12/h, "0.12 EUR/h"',
    default: null,
    parser: perHour,
  },
  watts: {
    flag: '--watts <number>',
    description: 'in place of a price: what this machine draws; with --kwh',
    default: null,
    parser: watts,
  },
  kwh: {
    flag: '--kwh <amount>',
    description: 'price of a kilowatt-hour: 0.30, "0.30 EUR"',
    default: null,
    parser: money,
  },
  instance: {
    flag: '--instance <name>',
    description: 'in place of a price: what this machine is called in the price file',
    default: null,
    parser: instance,
  },
  spot: {
    flag: '--spot',
    description: "take the instance's spot price",
    default: false,
    parser: yesOrNo,
  },
  prices: {
    flag: '--prices <file>',
    description: 'the price file; see dtrain prices',
    default: null,
    parser: path,
  },
  perGb: {
    flag: '--per-gb <amount>',
    description: 'price of 10^9 bytes that this machine sends',
    default: null,
    parser: money,
  },
  billingMinimum: {
    flag: '--billing-minimum <duration>',
    description: 'this machine is billed by the second, and at least for so long: 60s',
    default: null,
    parser: minimum,
  },
  currency: {
    flag: '--currency <code>',
    description: 'currency of the run, and of amounts that name none',
    default: null,
    defaultText: "that of the run's own prices, else USD",
    parser: currency,
  },
  rate: {
    flag: '--rate <rates>',
    description: "convert other currencies: what one unit is worth in the run's, EUR=1.08",
    default: [],
    defaultText: 'none: a worker in another currency is refused',
    parser: rates,
  },
  workerPrice: {
    flag: '--worker-price <prices>',
    description: 'prices by worker, whatever workers say: NAME=0.12/h,OTHER=0.05/h',
    default: [],
    defaultText: 'as each worker says',
    parser: workerPrices,
  },
};

/** The options that say what this machine costs. */
export const priceKeys = [
  'price',
  'watts',
  'kwh',
  'instance',
  'spot',
  'prices',
  'perGb',
  'billingMinimum',
] as const satisfies readonly OptionKey[];
