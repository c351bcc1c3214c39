import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { ImageSize } from '../data/images/decode.js';
import { builtInModels, builtInNames } from '../model/built-in.js';
import type { CheckpointInterval } from './types.js';

/** Reads an option's value from a flag's or variable's text or from a JSON value. */
export interface Parser<T> {
  /** What a valid value is, as it continues "must be …". */
  readonly expects: string;
  /** The value, or undefined if it is not a valid one. */
  readonly parse: (value: unknown) => T | undefined;
}

const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** NaN for what is no number. */
export function toNumber(value: unknown): number {
  const number = typeof value === 'string' && decimal.test(value) ? Number(value) : value;
  // Adding 0 turns -0, which JSON cannot hold, into 0.
  return typeof number === 'number' ? number + 0 : NaN;
}

function number(expects: string, accepts: (value: number) => boolean): Parser<number> {
  return {
    expects,
    parse: (value) => {
      const parsed = toNumber(value);
      return accepts(parsed) ? parsed : undefined;
    },
  };
}

function text(expects: string, accepts: (value: string) => boolean): Parser<string> {
  return {
    expects,
    parse: (value) => (typeof value === 'string' && accepts(value) ? value : undefined),
  };
}

/** A built-in model's name, or where a model's file or folder is, whatever folder is the current one. */
export const modelPlace: Parser<string> = {
  expects: `${builtInNames}, or a model's file or folder`,
  parse: (value) => {
    if (typeof value !== 'string' || value === '' || value.includes('\0')) return undefined;
    return builtInModels.has(value) ? value : resolve(value);
  },
};

export function wholeNumber(least: number, most: number): Parser<number> {
  return number(
    `a whole number from ${least} to ${most}`,
    (value) => Number.isInteger(value) && value >= least && value <= most,
  );
}

export const rate = number(
  'a number above 0 and at most 100',
  (value) => value > 0 && value <= 100,
);

export const fractionBelowOne = number(
  'a number of at least 0 and below 1',
  (value) => value >= 0 && value < 1,
);

export const fraction = number('a number from 0 to 1', (value) => value >= 0 && value <= 1);

/** Seconds of a measurement. */
export const someSeconds = number(
  'a number of seconds from 0.1 to 3600',
  (value) => value >= 0.1 && value <= 3600,
);

export function oneOf<T extends string>(choices: readonly T[]): Parser<T> {
  return {
    expects: `one of ${choices.join(', ')}`,
    parse: (value) => choices.find((choice) => choice === value),
  };
}

export const path = text(
  'a path that is not empty',
  (value) => value !== '' && !value.includes('\0'),
);

export const plainName = text(
  "1 to 64 letters, digits, '.', '_' or '-', not beginning with '.'",
  (value) => /^(?!\.)[A-Za-z0-9._-]{1,64}$/.test(value),
);

export const host = text(
  'a host name or an IP address',
  (value) => isIP(value) !== 0 || /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(value),
);

export const secret = text('1 to 256 printable ASCII characters without spaces', (value) =>
  /^[\x21-\x7e]{1,256}$/.test(value),
);

const booleans = new Map<unknown, boolean>([
  ...[true, 1, 'true', '1'].map((yes) => [yes, true] as const),
  ...[false, 0, 'false', '0'].map((no) => [no, false] as const),
]);

export const yesOrNo: Parser<boolean> = {
  expects: 'true, false, 1 or 0',
  parse: (value) => booleans.get(value),
};

const secondsIn = { s: 1, m: 60, h: 3600 };

// Node's timers hold at most 2^31 - 1 milliseconds, which is 596 hours.
const longestHours = 500;

/** A duration, in seconds. */
export const duration: Parser<number> = {
  expects: `a duration such as 90s, 10m or 2h, at most ${longestHours}h`,
  parse: (value) => {
    const unit = typeof value === 'string' ? value.slice(-1) : '';
    const seconds =
      typeof value === 'string' && (unit === 's' || unit === 'm' || unit === 'h')
        ? toNumber(value.slice(0, -1)) * secondsIn[unit]
        : toNumber(value);
    return seconds >= 0 && seconds <= longestHours * secondsIn.h ? seconds : undefined;
  },
};

/** A number of steps or a duration; in JSON also `{"steps": 500}` or `{"seconds": 30}`. */
export const interval: Parser<CheckpointInterval> = {
  expects: 'a number of steps, such as 500, or a duration, such as 30s or 5m',
  parse: (value) => {
    const [unit, amount] = oneEntry(value);
    const steps = toNumber(unit === 'steps' ? amount : value);
    if (Number.isInteger(steps) && steps >= 1 && steps <= 1e9) return { steps };
    const timed = typeof value === 'string' && /[smh]$/.test(value) ? value : undefined;
    const seconds = duration.parse(unit === 'seconds' ? amount : timed);
    return seconds !== undefined && seconds >= 0.1 ? { seconds } : undefined;
  },
};

/** The name and value of an object that has one. */
function oneEntry(value: unknown): readonly [string?, unknown?] {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return entries.length === 1 && entries[0] ? entries[0] : [];
}

/** Rows, columns and channels of an image, as `28x28x1`; in JSON also an object with them. */
export const imageSize: Parser<ImageSize> = {
  expects: 'rows x columns x channels, such as 28x28x1 or 32x32x3, each side at most 1024',
  parse: (value) => {
    const [, ...digits] = /^(\d+)x(\d+)x([13])$/.exec(typeof value === 'string' ? value : '') ?? [];
    const given: unknown[] =
      typeof value === 'object' && value !== null
        ? ['rows', 'columns', 'channels'].map((key) => Reflect.get(value, key) as unknown)
        : digits;
    const [rows = NaN, columns = NaN, channels] = given.map(toNumber);
    const side = wholeNumber(1, 1024).parse;
    if (side(rows) === undefined || side(columns) === undefined) return undefined;
    return channels === 1 || channels === 3 ? { rows, columns, channels } : undefined;
  },
};

/** Names out of `choices`, separated by commas. */
export function listOf<T extends string>(choices: readonly T[]): Parser<readonly T[]> {
  return {
    expects: `a list of ${choices.join(', ')}, separated by commas`,
    parse: (value) => {
      const names: readonly unknown[] =
        typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [];
      const found = names.flatMap((name) => choices.find((choice) => choice === name) ?? []);
      return found.length === names.length && found.length > 0 ? found : undefined;
    },
  };
}

/** Different whole numbers, separated by commas, in rising order; in JSON also one alone. */
export function listOfNumbers(least: number, most: number): Parser<readonly number[]> {
  const each = wholeNumber(least, most);
  return {
    expects: `whole numbers from ${least} to ${most}, separated by commas`,
    parse: (value) => {
      const given: readonly unknown[] =
        typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [value];
      const found = new Set(given.flatMap((one) => each.parse(one) ?? []));
      const valid = given.length > 0 && given.every((one) => each.parse(one) !== undefined);
      return valid ? [...found].sort((one, other) => one - other) : undefined;
    },
  };
}
