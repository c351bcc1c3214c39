import { expect, test } from 'vitest';
import { resolvePlan } from '../../src/config/plan-options.js';

const resolve = (flags: Record<string, unknown>) => resolvePlan({ flags, env: {} });

test('without flags this machine is measured, with the defaults of a training', async () => {
  expect(await resolve({})).toMatchObject({
    workers: 0,
    listen: null,
    languageModel: null,
    model: 'lenet5',
    batch: 64,
    epochs: 4,
    price: null,
    budget: null,
    deadline: null,
  });
});

test('prices, budgets and deadlines are read exactly', async () => {
  const given = { price: '0.12 EUR/h', budget: '2.50', deadline: '20m' };
  expect(await resolve(given)).toMatchObject({
    price: '0.12 EUR/h',
    budget: '2.50',
    deadline: 1_200,
  });
});

test('workers join where --port says', async () => {
  const { listen } = await resolve({ port: '0', workers: '2', host: '0.0.0.0', token: 'secret' });
  expect(listen).toEqual({ host: '0.0.0.0', port: 0, token: 'secret' });
});

test.each([
  [{ price: '-1/h' }, '--price must be a price for an hour'],
  [{ price: '0.12' }, '--price must be a price for an hour'],
  [{ budget: '0' }, '--budget must be an amount above 0'],
  [{ deadline: '-5m' }, '--deadline must be a duration such as 20m, a time of today'],
  [{ deadline: '2020-01-01T00:00' }, '--deadline is in the past'],
  [{ workers: '0' }, '--workers must be a whole number from 1'],
  [{ workers: '300' }, '--workers may be 256 at most where they are measured'],
  [{ port: '7070' }, '--port goes with --workers'],
  [
    { params: '1e9', tokens: '1e9', flopsPerWorker: '1e12', simulate: true },
    '--params and --simulate exclude each other',
  ],
  [{ fleet: 'f.json', workers: '2' }, '--fleet and --workers exclude each other'],
  [{ params: '175e9' }, 'give all three'],
  [
    { params: '1e9', tokens: '1e9', flopsPerWorker: '1e12', fleet: 'f' },
    '--params and --fleet exclude each other',
  ],
  [{ params: '-1' }, '--params must be a number above 0'],
  [
    { params: '1e9', tokens: '1e9', flopsPerWorker: '1e12', utilisation: '1.5' },
    '--utilisation must be a number above 0 and at most 1',
  ],
  [{ json: true, csv: true }, '--json and --csv exclude each other'],
])('%j is refused: %s', async (flags, message) => {
  await expect(resolve(flags)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(message) as string,
  });
});
