import { parseMoney } from '../cost/money.js';
import { DtrainError } from '../errors.js';
import type { OptionTable } from './option.js';
import { duration, oneOf, type Parser, yesOrNo } from './parsers.js';
import {
  type Deadline,
  type FleetSettings,
  type LimitSettings,
  type OptionKey,
  policies,
} from './types.js';

/** A duration from the start of the run, a time of today, or a date and a time, all local. */
const deadline: Parser<Deadline> = {
  expects:
    'a duration such as 20m, a time of today such as 18:30, or a date and a time such as 2030-12-31T18:30',
  parse: (value) => {
    if (typeof value === 'object' && value !== null && 'at' in value) {
      return typeof value.at === 'number' && Number.isFinite(value.at)
        ? { at: value.at }
        : undefined;
    }
    const inObject = typeof value === 'object' && value !== null && 'seconds' in value;
    const at = typeof value === 'string' ? timeIn(value) : undefined;
    if (at !== undefined) return { at };
    const seconds = duration.parse(inObject ? value.seconds : value);
    return seconds === undefined ? undefined : { seconds };
  },
};

/** Milliseconds since 1970 of `18:30`, today, or `2030-12-31T18:30`, on this machine's clock. */
function timeIn(text: string): number | undefined {
  const [, date, hours, minutes] = /^(\d{4}-\d\d-\d\d[T ])?(\d{1,2}):(\d\d)$/.exec(text) ?? [];
  if (Number(hours) > 23 || Number(minutes) > 59 || hours === undefined) return undefined;
  const day = date === undefined ? dateOf(new Date()) : date.slice(0, 10);
  const time = new Date(`${day}T${hours.padStart(2, '0')}:${minutes ?? ''}`);
  // A 31st of February is none.
  return dateOf(time) === day ? time.getTime() : undefined;
}

/** `2030-12-31`, as this machine's clock has it. */
function dateOf(time: Date): string {
  const parts = [time.getFullYear(), time.getMonth() + 1, time.getDate()];
  return parts.map((part) => String(part).padStart(2, '0')).join('-');
}

/** `18:30`, as this machine's clock has it. */
function clockOf(time: Date): string {
  return time.toTimeString().slice(0, 5);
}

/** @throws DtrainError USAGE if it has passed; `origin` is how a message names the setting */
export function checkDeadline(given: Deadline, origin: string): void {
  const now = new Date();
  const left = 'seconds' in given ? given.seconds * 1000 : given.at - now.getTime();
  if (left > 0) return;
  if ('seconds' in given) {
    throw new DtrainError('USAGE', `${origin} must be a time to come: it leaves none to train.`);
  }
  const then = new Date(given.at);
  const next = new Date(now);
  next.setDate(now.getDate() + (clockOf(then) > clockOf(now) ? 0 : 1));
  const passed = `${dateOf(then)} ${clockOf(then)} has passed, it is ${dateOf(now)} ${clockOf(now)}`;
  throw new DtrainError(
    'USAGE',
    `${origin} is in the past (${passed}): give a time to come, such as ${dateOf(next)}T${clockOf(then)}, or a duration, such as 20m.`,
  );
}

const share: Parser<number> = {
  expects: 'a share of 1 above 0, such as 0.99',
  parse: (value) => {
    const number = typeof value === 'string' && /^\d*\.?\d+$/.test(value) ? Number(value) : value;
    return typeof number === 'number' && number > 0 && number <= 1 ? number : undefined;
  },
};

const budget: Parser<string> = {
  expects: 'an amount above 0 such as 2.50 or "2.50 EUR"',
  parse: (value) => {
    const text = typeof value === 'number' ? String(value) : value;
    const money = typeof text === 'string' ? parseMoney(text) : undefined;
    return typeof text === 'string' && money !== undefined && money.amount > 0n ? text : undefined;
  },
};

/** What ends a run before its last step, and who computes until then. */
export const limitOptions: OptionTable<keyof LimitSettings | keyof FleetSettings> = {
  budget: {
    flag: '--budget <amount>',
    description: 'the most that the run may cost: 2.50, "2.50 EUR"',
    default: null,
    parser: budget,
  },
  deadline: {
    flag: '--deadline <time>',
    description: 'when the run must be over: in 20m, at 18:30, at 2030-12-31T18:30',
    default: null,
    parser: deadline,
  },
  targetAccuracy: {
    flag: '--target-accuracy <share>',
    description: 'end the run once it has this accuracy on the validation samples: 0.99',
    default: null,
    parser: share,
  },
  policy: {
    flag: '--policy <name>',
    description: `which workers compute: ${policies.join(', ')}`,
    default: null,
    defaultText: 'cheapest with --deadline, fastest with --budget, else all that save time',
    parser: oneOf(policies),
  },
  releaseIdle: {
    flag: '--release-idle',
    description: 'tell workers that are left without work to exit, so that they cost no more',
    default: false,
    parser: yesOrNo,
  },
};

/** Nothing ends the run before its last step, and all workers that save time compute. */
export const NO_LIMITS: LimitSettings & FleetSettings = {
  budget: null,
  deadline: null,
  targetAccuracy: null,
  policy: null,
  releaseIdle: false,
};

/** The options that end a run. */
export const limitKeys = [
  'budget',
  'deadline',
  'targetAccuracy',
] as const satisfies readonly OptionKey[];
