import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type PriceEntry, readPrices, removePrice, setPrice } from '../../src/cost/price-file.js';
import { temporaryFile, usageError } from '../config/helpers.js';
import { dtrainError } from '../data/helpers.js';

const entry: PriceEntry = {
  instance: 'c7g.large',
  perHour: '0.0725',
  currency: 'USD',
  date: '2026-11-20',
  source: 'https://example.org/prices',
};

async function inNoFile(): Promise<string> {
  return join(dirname(await temporaryFile('')), 'folder', 'prices.json');
}

test('where there is no file there are no prices', async () => {
  expect(await readPrices(await inNoFile())).toEqual([]);
});

test('the first price makes the file, and one of the same name takes its place', async () => {
  const file = await inNoFile();
  expect(await setPrice(file, entry)).toBe('added');
  expect(await setPrice(file, { ...entry, spot: true, perHour: '0.03' })).toBe('added');
  expect(await setPrice(file, { ...entry, perHour: '0.08' })).toBe('changed');
  expect(await readPrices(file)).toEqual([
    { ...entry, perHour: '0.08' },
    { ...entry, spot: true, perHour: '0.03' },
  ]);
  expect(await removePrice(file, entry)).toBe(true);
  expect(await removePrice(file, entry)).toBe(false);
  expect(await readPrices(file)).toHaveLength(1);
});

test('what else is in the file stays as it is', async () => {
  const file = await temporaryFile(`{
  // My machines.
  "prices": [
    { "instance": "a", "perHour": "1", "currency": "EUR", "date": "2026-01-01", "source": "me" } // old
  ]
}
`);
  await setPrice(file, entry);
  const text = await readFile(file, 'utf8');
  expect(text).toContain('// My machines.');
  expect(text).toContain('// old');
  expect(await readPrices(file)).toHaveLength(2);
});

const line = (fields: object): string =>
  `{\n  "prices": [\n    ${JSON.stringify(entry)},\n    ${JSON.stringify({ ...entry, instance: 'b', ...fields })}\n  ]\n}\n`;

test.each([
  ['{\n  "prices": [\n', 3, 'it is not valid JSON there'],
  ['{\n  "prices": [\n    { "instance": "a" "spot": true }\n  ]\n}', 3, 'not valid JSON'],
  ['[]', 1, 'it must be an object'],
  ['{}', 1, 'prices is missing'],
  ['{\n"prices": [ ],\n"more": 1 }', 1, 'it has the unknown field "more"'],
  [line({ perHour: '-1' }), 4, 'in the entry "b", perHour must be an amount in quotation marks'],
  [line({ perHour: 0.1 }), 4, 'in the entry "b", perHour must be an amount'],
  [line({ perHour: undefined }), 4, 'in the entry "b", it must have either perHour, or watts'],
  [line({ watts: 65 }), 4, 'in the entry "b", it must have either perHour, or watts'],
  [line({ currency: 'euro' }), 4, 'in the entry "b", currency must be a code such as EUR'],
  [line({ date: '2026-02-30' }), 4, 'in the entry "b", date must be a date'],
  [line({ source: '' }), 4, 'in the entry "b", source must not be empty'],
  [line({ source: undefined }), 4, 'in the entry "b", source is missing'],
  [line({ minimumSeconds: 1.5 }), 4, 'in the entry "b", minimumSeconds must be a whole number'],
  [line({ spot: true, vendor: 'x' }), 4, 'in the entry "b (spot)", it has the unknown field'],
  [line({ instance: 'c7g.large' }), 4, 'c7g.large is there twice'],
])('a damaged file is an error that names line and entry (%#)', async (content, at, what) => {
  const file = await temporaryFile(content, 'prices.json');
  const message = await usageError(readPrices(file));
  expect(message).toContain(`The price file ${file} is damaged in line ${at}: `);
  expect(message).toContain(what);
  expect(await usageError(setPrice(file, entry))).toBe(message);
  expect(await readFile(file, 'utf8')).toBe(content);
});

test('a file that cannot be read or written is an error that says why', async () => {
  const file = await temporaryFile('');
  const folder = join(dirname(file), 'prices.json');
  await mkdir(folder);
  expect(await usageError(readPrices(folder))).toContain('a folder of this name is in the way');
  await writeFile(join(dirname(file), 'x'), '');
  const under = join(dirname(file), 'x', 'prices.json');
  await expect(readPrices(under)).rejects.toEqual(dtrainError('USAGE', 'part of the path'));
});
