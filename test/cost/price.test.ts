import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  billedSeconds,
  convert,
  costOf,
  electricity,
  parsePerHour,
  type Price,
  priceText,
  readPrice,
  statedPrice,
  statePrice,
} from '../../src/cost/price.js';

function price(changes: Partial<Price> = {}): Price {
  return { perHour: 120_000n, currency: null, minimumSeconds: 0, perGigabyte: 0n, ...changes };
}

const prices = fc.record({
  perHour: fc.bigInt({ min: 0n, max: 10n ** 12n }),
  currency: fc.constantFrom(null, 'EUR', 'USD'),
  minimumSeconds: fc.integer({ min: 0, max: 3600 }),
  perGigabyte: fc.bigInt({ min: 0n, max: 10n ** 9n }),
});
const seconds = fc.double({ min: 0, max: 1e7, noNaN: true });

test.each([
  ['0.12/h', { perHour: 120_000n, currency: null }],
  ['0.12 EUR/h', { perHour: 120_000n, currency: 'EUR' }],
  ['0.12EUR / h', { perHour: 120_000n, currency: 'EUR' }],
  ['0/h', { perHour: 0n, currency: null }],
])('%s is a price', (text, expected) => {
  expect(parsePerHour(text)).toEqual(expected);
});

test.each(['0.12', '-0.12/h', '0.12/min', '/h', 'EUR/h', '0.12 euro/h', '1e2/h', ''])(
  '"%s" is no price',
  (text) => {
    expect(parsePerHour(text)).toBeUndefined();
  },
);

test('65 watts at 0.30 for a kilowatt-hour cost 0.0195 an hour', () => {
  expect(electricity(65, 300_000n)).toBe(19_500n);
});

test('seconds that have begun are billed, and never less than the minimum', () => {
  expect(billedSeconds(price(), 0)).toBe(0);
  expect(billedSeconds(price(), 2)).toBe(2);
  expect(billedSeconds(price(), 2.000001)).toBe(3);
  expect(billedSeconds(price({ minimumSeconds: 60 }), 2)).toBe(60);
  expect(billedSeconds(price({ minimumSeconds: 60 }), 61)).toBe(61);
});

test('an hour costs the price of an hour, and a gigabyte that of a gigabyte', () => {
  expect(costOf(price(), 3600, 1e9)).toBe(120_000n);
  expect(costOf(price({ perGigabyte: 90_000n }), 3600, 2e9)).toBe(300_000n);
});

test('more time or data never costs less, and nothing costs less than nothing', () => {
  const bytes = fc.integer({ min: 0, max: 1e12 });
  fc.assert(
    fc.property(prices, seconds, seconds, bytes, bytes, (each, s1, s2, b1, b2) => {
      const less = costOf(each, Math.min(s1, s2), Math.min(b1, b2));
      const more = costOf(each, Math.max(s1, s2), Math.max(b1, b2));
      expect(less >= 0n && more >= less).toBe(true);
    }),
  );
});

test('a price in another currency is the rate times as high', () => {
  const euros = price({ currency: 'EUR', perGigabyte: 90_000n });
  expect(convert(euros, 'USD', 1_080_000n)).toEqual(
    price({ currency: 'USD', perHour: 129_600n, perGigabyte: 97_200n }),
  );
});

test('a stated price is read back as it was, and is what its schema takes', () => {
  fc.assert(
    fc.property(prices, (each) => {
      const stated = statePrice(each);
      expect(statedPrice.parse(stated)).toEqual(stated);
      expect(readPrice(stated)).toEqual(each);
    }),
  );
});

test.each([
  { perHour: '-1' },
  { perHour: 1 },
  { currency: 'euro' },
  { minimumSeconds: 0.5 },
  { minimumSeconds: -1 },
  { perGigabyte: null },
  { more: true },
])('a stated price with %j is refused', (change) => {
  expect(statedPrice.safeParse({ ...statePrice(price()), ...change }).success).toBe(false);
});

test('a price in words says all that counts', () => {
  expect(priceText(price())).toBe('0.12/h');
  expect(priceText(price({ currency: 'EUR', minimumSeconds: 60, perGigabyte: 90_000n }))).toBe(
    '0.12 EUR/h, at least 60 s, 0.09 EUR for each GB sent',
  );
});
