/**
 * Money is exact: a whole number of micro-units, millionths of the unit of its currency. Whatever
 * does not come out even is rounded once, by `share`, to the nearest micro-unit; a half goes up.
 */
export type Micros = bigint;

const DECIMALS = 6;

const amount = /^(?=\.?\d)(\d{0,12})(?:\.(\d{1,6}))?$/;
const currency = /^[A-Z]{3}$/;

/** Reads an amount: digits, perhaps a point and up to six more; nothing below zero. */
export function parseAmount(text: string): Micros | undefined {
  const [, units, fraction = ''] = amount.exec(text) ?? [];
  return units === undefined ? undefined : BigInt(units + fraction.padEnd(DECIMALS, '0'));
}

/** An amount as `parseAmount` reads it, with two to six decimals: `2.50`, `0.000033`. */
export function formatAmount(micros: Micros): string {
  const digits = String(micros < 0n ? -micros : micros).padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0{1,4}$/, '');
  return `${micros < 0n ? '-' : ''}${digits.slice(0, -DECIMALS)}.${fraction}`;
}

/** Whether `text` is a currency's code (ISO 4217): three capital letters. */
export function isCurrency(text: string): boolean {
  return currency.test(text);
}

/** Reads an amount with or without its currency: `2.50`, `2.50 EUR`. */
export function parseMoney(
  text: string,
): { readonly amount: Micros; readonly currency: string | null } | undefined {
  const [, digits = '', code = null] = /^([\d.]+)(?: ?([A-Z]{3}))?$/.exec(text.trim()) ?? [];
  const parsed = parseAmount(digits);
  return parsed === undefined ? undefined : { amount: parsed, currency: code };
}

/** `micros` times `part` over `whole`, none of them below zero, rounded. */
export function share(micros: Micros, part: bigint, whole: bigint): Micros {
  return (2n * micros * part + whole) / (2n * whole);
}

/** An amount in another currency. @param rate what one unit is worth there */
export function converted(amount: Micros, rate: Micros): Micros {
  return share(amount, rate, 10n ** BigInt(DECIMALS));
}
