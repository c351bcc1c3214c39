import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import envPaths from 'env-paths';
import jsonc from 'jsonc-parser';
import { z } from 'zod';
import { diskReason, DtrainError, systemCode } from '../errors.js';
import { check, clause } from '../model/files/fields.js';
import { isCurrency, parseAmount } from './money.js';
import { electricity, LONGEST_MINIMUM, type Price } from './price.js';

/*
 * The user's own prices: JSON, in which comments are allowed.
 *
 *   { "prices": [ { "instance": "c7g.large", "spot": true, "perHour": "0.0289", "currency": "USD",
 *                   "date": "2026-11-20", "source": "https://…" } ] }
 */

const amountText = (error: string) =>
  z.string({ error }).refine((text) => parseAmount(text) !== undefined, { error });
const text = z.string().min(1, { error: 'must not be empty' });
const anAmount = 'must be an amount in quotation marks such as "0.0289", with at most 6 decimals';
const aDate = 'must be a date such as 2026-11-20';

const entrySchema = z
  .strictObject({
    /** What `--instance` names. */
    instance: z.string().regex(/^[\x21-\x7e]{1,64}$/, {
      error: 'must be a name of 1 to 64 printable characters without spaces',
    }),
    /** Whether this is the price that `--spot` asks for. */
    spot: z.boolean().optional(),
    perHour: amountText(anAmount).optional(),
    /** Instead of `perHour`: what the machine draws, and what a kilowatt-hour costs. */
    watts: z
      .number({ error: 'must be a number of watts' })
      .min(0, { error: 'must not be negative' })
      .max(1e6, { error: 'must be at most 1000000' })
      .optional(),
    perKilowattHour: amountText(anAmount).optional(),
    currency: z.string().refine(isCurrency, { error: 'must be a code such as EUR' }),
    /** Seconds that are billed at least. */
    minimumSeconds: z
      .int({ error: 'must be a whole number of seconds' })
      .min(0, { error: 'must not be negative' })
      .max(LONGEST_MINIMUM, { error: `must be at most ${LONGEST_MINIMUM}` })
      .optional(),
    /** For each 10^9 bytes sent. */
    perGigabyte: amountText(anAmount).optional(),
    /** The day on which the source said so. */
    date: z.string().refine(isDate, { error: aDate }),
    source: text,
  })
  .superRefine(({ perHour, watts, perKilowattHour }, context) => {
    const electric = watts !== undefined && perKilowattHour !== undefined;
    const either = perHour !== undefined && watts === undefined && perKilowattHour === undefined;
    if (either || (electric && perHour === undefined)) return;
    context.addIssue('must have either perHour, or watts and perKilowattHour');
  });

const fileSchema = z.strictObject({ prices: z.array(entrySchema) });

export type PriceEntry = z.infer<typeof entrySchema>;

/** Where prices are kept unless `--prices` says so: the user's folder for settings. */
export function defaultPriceFile(): string {
  return path.join(envPaths('dtrain', { suffix: '' }).config, 'prices.json');
}

/** `c7g.large` or `c7g.large (spot)` */
export function entryName({
  instance,
  spot = false,
}: Pick<PriceEntry, 'instance' | 'spot'>): string {
  return spot ? `${instance} (spot)` : instance;
}

export function priceOf(entry: PriceEntry): Price {
  const { perHour, watts = 0, perKilowattHour = '0', currency, minimumSeconds = 0 } = entry;
  const amount = (digits: string): bigint => parseAmount(digits) ?? 0n;
  return {
    perHour: perHour === undefined ? electricity(watts, amount(perKilowattHour)) : amount(perHour),
    currency,
    minimumSeconds,
    perGigabyte: amount(entry.perGigabyte ?? '0'),
  };
}

/**
 * The prices in a file; none if there is no such file.
 * @throws DtrainError USAGE that names the line and the entry, if the file is not one of prices
 */
export async function readPrices(file: string): Promise<readonly PriceEntry[]> {
  return pricesIn(await readText(file), file);
}

/** Puts an entry into the file, in the place of one of the same name; the rest stays as it is. */
export async function setPrice(file: string, entry: PriceEntry): Promise<'added' | 'changed'> {
  const before = await readText(file);
  const index = indexOf(pricesIn(before, file), entry);
  await edit(file, before, index ?? -1, entry);
  return index === undefined ? 'added' : 'changed';
}

/** Takes an entry out. @returns whether there was one */
export async function removePrice(
  file: string,
  name: Pick<PriceEntry, 'instance' | 'spot'>,
): Promise<boolean> {
  const before = await readText(file);
  const index = indexOf(pricesIn(before, file), name);
  if (index !== undefined) await edit(file, before, index, undefined);
  return index !== undefined;
}

function indexOf(
  prices: readonly PriceEntry[],
  name: Pick<PriceEntry, 'instance' | 'spot'>,
): number | undefined {
  const index = prices.findIndex((entry) => entryName(entry) === entryName(name));
  return index === -1 ? undefined : index;
}

const EMPTY = '{\n  "prices": []\n}\n';

async function readText(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return EMPTY;
    const message = `The price file ${file} cannot be read: ${diskReason(cause)}.`;
    throw new DtrainError('USAGE', message, { cause });
  }
}

function pricesIn(content: string, file: string): readonly PriceEntry[] {
  const errors: jsonc.ParseError[] = [];
  const tree = jsonc.parseTree(content, errors);
  const [error] = errors;
  if (error || !tree) {
    const line = lineAt(content, error?.offset ?? 0);
    throw damaged(
      file,
      line,
      'it is not valid JSON there: a comma, a quotation mark or a bracket is wrong',
    );
  }
  const value = jsonc.getNodeValue(tree) as unknown;
  const result = check(fileSchema, value);
  if (!result.ok) {
    const line = lineAt(content, offsetOf(tree, result.path));
    throw damaged(file, line, complaint(value, result.path, result.complaint));
  }
  const { prices } = result.value;
  const twice = prices.findIndex((entry, index) => indexOf(prices, entry) !== index);
  const again = prices[twice];
  if (again) {
    const line = lineAt(content, offsetOf(tree, ['prices', twice]));
    throw damaged(file, line, `${entryName(again)} is there twice: keep one of them`);
  }
  return prices;
}

/** What is wrong, with the entry's own name where it has one. */
function complaint(value: unknown, path: readonly PropertyKey[], words: string): string {
  const [list, index, ...field] = path;
  if (list !== 'prices' || typeof index !== 'number') return clause(path, words);
  const named = z.object({ prices: z.array(z.unknown()) }).safeParse(value).data?.prices[index];
  const entry = z.object({ instance: z.string(), spot: z.boolean().optional().catch(undefined) });
  const { data } = entry.safeParse(named);
  const name = data
    ? entryName({ ...data, instance: data.instance.slice(0, 64) })
    : `number ${index + 1}`;
  return `in the entry ${JSON.stringify(name)}, ${clause(field, words)}`;
}

/** Where a value begins, or what should hold it. */
function offsetOf(tree: jsonc.Node, path: readonly PropertyKey[]): number {
  const keys = path.map((key) => (typeof key === 'number' ? key : String(key)));
  for (let length = keys.length; length > 0; length--) {
    const node = jsonc.findNodeAtLocation(tree, keys.slice(0, length));
    if (node) return node.offset;
  }
  return tree.offset;
}

function lineAt(content: string, offset: number): number {
  return content.slice(0, offset).split('\n').length;
}

async function edit(
  file: string,
  before: string,
  index: number,
  entry: PriceEntry | undefined,
): Promise<void> {
  const edits = jsonc.modify(before, ['prices', index], entry, {
    formattingOptions: { insertSpaces: true, tabSize: 2, insertFinalNewline: true },
  });
  const after = jsonc.applyEdits(before, edits);
  pricesIn(after, file);
  const temporary = `${file}.part`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(temporary, after.endsWith('\n') ? after : `${after}\n`);
    await rename(temporary, file);
  } catch (cause) {
    const message = `Cannot write ${file}: ${diskReason(cause)}. Choose another file with --prices.`;
    throw new DtrainError('WRITE_FAILED', message, { cause });
  }
}

/** Whether `value` is a day of the calendar such as 2026-11-20. */
export function isDate(value: string): boolean {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(value) ? new Date(`${value}T00:00:00Z`) : undefined;
  return day !== undefined && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}

function damaged(file: string, line: number, what: string): DtrainError {
  return new DtrainError('USAGE', `The price file ${file} is damaged in line ${line}: ${what}.`);
}
