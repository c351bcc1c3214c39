import { z } from 'zod';

const LARGEST_EXTENT = 65_536;
const whole = `whole number from 1 to ${LARGEST_EXTENT}`;

/** A size, a stride or a count that a layer may have. */
export const extent = z.custom<number>(
  (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= LARGEST_EXTENT,
  { error: `must be a ${whole}` },
);

/** [rows, columns] */
export const pair = z.tuple([extent, extent], {
  error: `must be [rows, columns], each a ${whole}`,
});

/** One of `values`; the message says which, and what was there instead. */
export function oneOf<const Value extends string>(values: readonly Value[]) {
  return z.enum(values, {
    error: ({ input }) => `must be ${values.join(' or ')}, not ${quoted(input)}`,
  });
}

/** A text from an untrusted file for a message: short, and on one line. */
export function escaped(text: string): string {
  return JSON.stringify(text.slice(0, 64)).slice(1, -1);
}

/** A value from an untrusted file for a message: short, and on one line. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') return `"${escaped(value)}"`;
  return value === undefined ? 'missing' : value === null ? 'null' : `of type ${typeof value}`;
}

/** A shape from an untrusted file for a message: `[5, 5, 1, 6]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.slice(0, 8).join(', ')}${shape.length > 8 ? ', …' : ''}]`;
}

/** Whether two shapes are the same. */
export function sameShape(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((value, axis) => value === other[axis]);
}

/** What a check comes to. */
export type Checked<Value> =
  | { readonly ok: true; readonly value: Value }
  | {
      readonly ok: false;
      /** Where the first thing is that is wrong. */
      readonly path: readonly PropertyKey[];
      /** What is wrong there, as the end of a sentence: `must be a list`. */
      readonly complaint: string;
    };

/** Checks a value that is not trusted. */
export function check<Value>(schema: z.ZodType<Value>, value: unknown): Checked<Value> {
  const result = schema.safeParse(value, { error: plainComplaint });
  if (result.success) return { ok: true, value: result.data };
  const { path = [], message = 'is not valid' } = result.error.issues[0] ?? {};
  return { ok: false, path, complaint: message };
}

/** A clause that says what is wrong with which field: `kernel[0] must be a whole number`. */
export function clause(path: readonly PropertyKey[], complaint: string): string {
  const field = path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${escaped(String(key))}`))
    .join('')
    .replace(/^\./, '');
  return `${field === '' ? 'it' : field} ${complaint}`;
}

const kinds: Readonly<Partial<Record<string, string>>> = {
  array: 'a list',
  object: 'an object',
  record: 'an object',
  string: 'a string',
};

/** For the schemas that do not bring a message of their own. */
function plainComplaint(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'unrecognized_keys') return `has the unknown field ${quoted(issue.keys[0])}`;
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.input === undefined) return 'is missing';
  return `must be ${kinds[issue.expected] ?? issue.expected}`;
}
