import { formatAmount } from '../src/cost/money.js';
import type { Comparison, Rest } from './core-messages.js';

/** Why a member has no share of the steps, or has one, with the two figures that say so. */
export function comparisonText(why: Comparison, currency: string): string {
  if (why.of === 'step') {
    const ms = (seconds: number): string => `${(seconds * 1000).toFixed(1)} ms`;
    return `a step would take ${ms(why.withIt)} with it and ${ms(why.withoutIt)} without it`;
  }
  const { withIt, withoutIt, policy } = why;
  const priced = withIt.cost > 0 || withoutIt.cost > 0;
  const text = ({ seconds, cost }: Rest): string => {
    if (!Number.isFinite(seconds)) return 'for ever';
    const time = `${seconds.toFixed(seconds < 100 ? 1 : 0)} s`;
    return priced ? `${time} and ${money(cost)} ${currency}` : time;
  };
  return `the rest of the run would take ${text(withIt)} with it and ${text(withoutIt)} without it (${policy})`;
}

/** Micro-units, to four significant digits: it is a prediction. */
function money(micros: number): string {
  return formatAmount(BigInt(Math.round(Number(micros.toPrecision(4)))));
}
