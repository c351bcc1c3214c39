import {
  type Augmentation,
  type Change,
  changes,
  largestAmounts,
  NO_AUGMENTATION,
  usualAmounts,
} from '../augment/augmentation.js';
import { type Parser, toNumber, yesOrNo } from './parsers.js';

const limits = changes.map((change) => `${change} (at most ${largestAmounts[change]})`);

/**
 * `shift=0.1,rotate` (an amount, and the usual amount), true (the usual amounts of all) or `none`;
 * in JSON also an object.
 */
export const augmentation: Parser<Augmentation> = {
  expects: `none, or a list of ${limits.join(', ')}, such as shift=0.1,rotate`,
  parse: (value) => {
    const all = yesOrNo.parse(value);
    if (all !== undefined) return all ? usualAmounts : NO_AUGMENTATION;
    if (value === 'none') return NO_AUGMENTATION;
    const entries = entriesOf(value);
    const amounts = entries.flatMap(([name, given]) => amountOf(name, given) ?? []);
    const names = new Set(amounts.map(([name]) => name));
    if (entries.length === 0 || names.size < entries.length) return undefined;
    return { ...NO_AUGMENTATION, ...Object.fromEntries(amounts) };
  },
};

function entriesOf(value: unknown): [string, unknown][] {
  if (typeof value === 'object' && value !== null) return Object.entries(value);
  if (typeof value !== 'string') return [];
  return value.split(',').map((item) => {
    const [name = '', ...amount] = item.split('=');
    return [name, amount.length === 0 ? undefined : amount.join('=')];
  });
}

function amountOf(name: string, given: unknown): [[Change, number]] | undefined {
  const change = changes.find((one) => one === name);
  if (change === undefined) return undefined;
  const number = given === undefined ? usualAmounts[change] : toNumber(given);
  if (!(number >= 0 && number <= largestAmounts[change])) return undefined;
  return [[change, number]];
}
