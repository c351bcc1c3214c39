import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAmount, parseAmount, parseMoney, share } from '../../src/cost/money.js';

const micros = fc.bigInt({ min: 0n, max: 10n ** 18n - 1n });

test.each([
  ['0', 0n],
  ['2.5', 2_500_000n],
  ['.5', 500_000n],
  ['2.50', 2_500_000n],
  ['0.000001', 1n],
  ['007', 7_000_000n],
])('%s is read', (text, amount) => {
  expect(parseAmount(text)).toBe(amount);
});

test.each(['', '.', '-1', '+1', '1e3', '1,50', '0.0000001', '1.', ' 1', 'NaN', '1'.repeat(13)])(
  '"%s" is no amount',
  (text) => {
    expect(parseAmount(text)).toBeUndefined();
  },
);

test.each([
  [0n, '0.00'],
  [1n, '0.000001'],
  [2_500_000n, '2.50'],
  [4_600_000_000_000n, '4600000.00'],
  [120_500n, '0.1205'],
  [-1_500_000n, '-1.50'],
])('%s micro-units are written as %s', (amount, text) => {
  expect(formatAmount(amount)).toBe(text);
});

test('what is written is read back, exactly', () => {
  fc.assert(
    fc.property(micros, (amount) => {
      expect(parseAmount(formatAmount(amount))).toBe(amount);
    }),
  );
});

test('an amount may name its currency', () => {
  expect(parseMoney('2.50 EUR')).toEqual({ amount: 2_500_000n, currency: 'EUR' });
  expect(parseMoney('2.50EUR')).toEqual({ amount: 2_500_000n, currency: 'EUR' });
  expect(parseMoney('2.50')).toEqual({ amount: 2_500_000n, currency: null });
  for (const text of ['EUR', '2.50 eur', '2.50 EURO', '-2 EUR']) {
    expect(parseMoney(text)).toBeUndefined();
  }
});

test('a share is the nearest micro-unit, and a half goes up', () => {
  expect(share(1n, 1n, 2n)).toBe(1n);
  expect(share(1n, 1n, 3n)).toBe(0n);
  expect(share(2n, 1n, 3n)).toBe(1n);
  const positive = fc.bigInt({ min: 1n, max: 10n ** 12n });
  fc.assert(
    fc.property(
      micros,
      fc.bigInt({ min: 0n, max: 10n ** 12n }),
      positive,
      (amount, part, whole) => {
        const twiceTheError = 2n * (share(amount, part, whole) * whole - amount * part);
        expect(twiceTheError <= whole && twiceTheError > -whole).toBe(true);
      },
    ),
  );
});
