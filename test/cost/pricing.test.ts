import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownPrice, type PriceSettings } from '../../src/cost/own-price.js';
import { type MoneySettings, NO_PRICES, Pricing } from '../../src/cost/pricing.js';
import type { Price } from '../../src/cost/price.js';
import { temporaryFile, usageError } from '../config/helpers.js';

function price(perHour: bigint, currency: string | null = null): Price {
  return { perHour, currency, minimumSeconds: 0, perGigabyte: 0n };
}

const own = (changes: Partial<PriceSettings>): Promise<Price | null> =>
  ownPrice({ ...NO_PRICES, ...changes });
const pricing = (changes: Partial<MoneySettings>, before?: string): Promise<Pricing> =>
  Pricing.of({ ...NO_PRICES, ...changes }, before);

const FILE = JSON.stringify({
  prices: [
    { instance: 'c7g.large', perHour: '0.0725', currency: 'USD', date: '2026-11-20', source: 'x' },
    {
      instance: 'c7g.large',
      spot: true,
      perHour: '0.0289',
      currency: 'USD',
      minimumSeconds: 60,
      perGigabyte: '0.09',
      date: '2026-11-20',
      source: 'x',
    },
    {
      instance: 'desktop',
      watts: 65,
      perKilowattHour: '0.30',
      currency: 'EUR',
      date: '2026-11-20',
      source: 'x',
    },
  ],
});

test('a machine has no price unless its user says one', async () => {
  expect(await own({})).toBeNull();
  expect((await pricing({})).own).toBeNull();
});

test('a price may be given as such, or as electricity', async () => {
  expect(await own({ price: '0.12 EUR/h' })).toEqual(price(120_000n, 'EUR'));
  expect(await own({ watts: 65, kwh: '0.30' })).toEqual(price(19_500n));
  expect(await own({ price: '0.12/h', perGb: '0.09 USD', billingMinimum: 60 })).toEqual({
    perHour: 120_000n,
    currency: 'USD',
    minimumSeconds: 60,
    perGigabyte: 90_000n,
  });
});

test('a price may be looked up in a file', async () => {
  const prices = await temporaryFile(FILE);
  expect(await own({ prices, instance: 'c7g.large' })).toEqual(price(72_500n, 'USD'));
  expect(await own({ prices, instance: 'c7g.large', spot: true })).toEqual({
    perHour: 28_900n,
    currency: 'USD',
    minimumSeconds: 60,
    perGigabyte: 90_000n,
  });
  expect(await own({ prices, instance: 'desktop' })).toEqual(price(19_500n, 'EUR'));
});

test('an instance that is not in the file is an error that says what is', async () => {
  const prices = await temporaryFile(FILE);
  expect(await usageError(own({ prices, instance: 'desktop', spot: true }))).toBe(
    `There is no price of desktop (spot) in ${prices} (it has c7g.large, c7g.large (spot), desktop): add it with dtrain prices set, or give --price.`,
  );
  const missing = join(prices, '..', 'none.json');
  expect(await usageError(own({ prices: missing, instance: 'x' }))).toContain('(it is empty)');
  await writeFile(prices, '{');
  expect(await usageError(own({ prices, instance: 'x' }))).toContain('is damaged in line 1');
});

test.each([
  [{ spot: true }, /^--spot goes with --instance/],
  [{ watts: 65 }, /^--watts goes with --kwh/],
  [{ kwh: '0.3' }, /^--kwh goes with --watts/],
  [{ perGb: '0.1' }, /^--per-gb goes with a price for an hour/],
  [{ billingMinimum: 60 }, /^--billing-minimum goes with a price/],
  [{ price: '1 EUR/h', perGb: '0.1 USD' }, /in EUR and --per-gb in USD/],
])('settings that do not go together are an error: %j', async (settings, message) => {
  expect(await usageError(own(settings))).toMatch(message);
});

test('a run has one currency: that which is given, else that of its prices, else USD', async () => {
  expect((await pricing({ price: '1/h' })).currency).toBe('USD');
  expect((await pricing({ price: '1 EUR/h' })).currency).toBe('EUR');
  expect((await pricing({ workerPrice: ['a=1 GBP/h'] })).currency).toBe('GBP');
  expect((await pricing({ price: '1/h', currency: 'CHF' })).own).toEqual(price(1_000_000n, 'CHF'));
  expect((await pricing({}, 'EUR')).currency).toBe('EUR');
});

test('a worker costs what the operator says, else what it states itself', async () => {
  const known = await pricing({ workerPrice: ['a=0.05/h'] });
  const stated = price(120_000n);
  expect(known.of('a', stated)).toEqual({ price: price(50_000n, 'USD') });
  expect(known.of('b', stated)).toEqual({ price: price(120_000n, 'USD') });
  expect(known.of('a', null)).toEqual({ price: price(50_000n, 'USD') });
  expect(known.of('b', null)).toEqual({ price: null });
});

test('another currency is refused, unless there is a rate for it', async () => {
  const euros = price(1_000_000n, 'EUR');
  expect((await pricing({})).of('a', euros)).toEqual({
    refusal:
      'A price is in EUR, and the run is in USD; the coordinator may convert: --rate EUR= and what one EUR is worth',
  });
  expect((await pricing({ rate: ['EUR=1.08'] })).of('a', euros)).toEqual({
    price: price(1_080_000n, 'USD'),
  });
  expect(await usageError(pricing({ price: '1 EUR/h', currency: 'USD' }))).toContain(
    'A price is in EUR, and the run is in USD: --rate EUR=',
  );
});
