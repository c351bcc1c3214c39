import { spreadOf } from '../dist/bench/statistics.js';

/** Median, least and most: `31,000 (29,500 to 32,100)`. */
export function showSpread(values: readonly number[], digits = 0): string {
  const { least, median, most } = spreadOf(values);
  const show = (value: number): string =>
    value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${show(median)} (${show(least)} to ${show(most)})`;
}
