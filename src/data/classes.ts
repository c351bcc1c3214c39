import { DtrainError } from '../errors.js';
import type { Label } from './sources/source.js';

/** Classes are one byte. */
const MOST_CLASSES = 256;

/** What a data set's labels stand for. */
export interface Classes {
  readonly count: number;
  /** By class; absent where labels are class numbers. */
  readonly names?: readonly string[];
}

/**
 * The classes of a training set's labels. Whole numbers from 0 to 255 are classes themselves; any
 * others are names, whose classes are their places in order.
 * @throws DtrainError DATA_DAMAGED for fewer than two classes
 */
export function classesOf(labels: readonly Label[], origin: string): Classes {
  const numbers = labels.map(classNumber);
  if (numbers.every((number) => number !== undefined)) {
    const count = Math.max(-1, ...numbers) + 1;
    if (count < 2) throw tooFew(origin);
    return { count };
  }
  const names = labels.map(String);
  const numeric = names.every((name) => Number.isFinite(Number(name)));
  names.sort(numeric ? (one, other) => Number(one) - Number(other) : undefined);
  if (names.length < 2) throw tooFew(origin);
  if (names.length > MOST_CLASSES) throw tooMany(origin);
  return { count: names.length, names };
}

/** The class of a label, or undefined if it has none. */
export function classOf(label: Label, { count, names }: Classes): number | undefined {
  if (names) {
    const place = names.indexOf(String(label));
    return place === -1 ? undefined : place;
  }
  const number = classNumber(label);
  return number !== undefined && number < count ? number : undefined;
}

function classNumber(label: Label): number | undefined {
  const number = typeof label === 'number' ? label : label === '' ? NaN : Number(label);
  return Number.isInteger(number) && number >= 0 && number < MOST_CLASSES ? number : undefined;
}

export function tooMany(origin: string): DtrainError {
  const message = `The data from ${origin} has more than the ${MOST_CLASSES} classes that there may be: are its labels what they should be?`;
  return new DtrainError('DATA_DAMAGED', message);
}

function tooFew(origin: string): DtrainError {
  const message = `The data from ${origin} has fewer than two classes: there is nothing to tell apart.`;
  return new DtrainError('DATA_DAMAGED', message);
}
