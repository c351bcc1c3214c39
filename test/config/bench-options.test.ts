import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { benchOptions, resolveBench } from '../../src/config/bench-options.js';
import { environmentName, flagName } from '../../src/config/options.js';
import { usageError } from './helpers.js';

const resolve = (flags: Record<string, unknown>, env: NodeJS.ProcessEnv = {}) =>
  resolveBench({ flags, env });
const refused = (flags: Record<string, unknown>): Promise<string> =>
  usageError(Promise.resolve().then(() => resolve(flags)));

test('the defaults compare both kinds and both scalings up to the cores', () => {
  const config = resolve({});
  expect(config).toMatchObject({
    kinds: ['threads', 'processes'],
    scaling: ['strong', 'weak'],
    batch: [64],
    runs: 5,
    seconds: 3,
    steps: null,
    optimizer: 'momentum',
    lr: 0.05,
    html: null,
  });
  const cores = Math.min(availableParallelism(), 256);
  expect(config.workers[0]).toBe(1);
  expect(config.workers.at(-1)).toBe(cores);
  expect(config.workers).toEqual([...new Set(config.workers)].sort((a, b) => a - b));
});

test('numbers of workers come in order, once each, and one is among them', () => {
  expect(resolve({ workers: '4,2,4' }).workers).toEqual([1, 2, 4]);
  expect(resolve({ workers: '1' }).workers).toEqual([1]);
  expect(resolve({}, { DTRAIN_WORKERS: '3' }).workers).toEqual([1, 3]);
});

test.each([
  ['workers', ['0', '257', '1,', ',', '', '1;2', '1.5', 'two', {}, []]],
  ['batch', ['0', '65537', '64,x', '']],
  ['kinds', ['thread', 'threads;processes', '']],
  ['scaling', ['both', '']],
  ['runs', ['0', '1001', '2.5']],
  ['seconds', ['0', '0.05', '3601', 'soon', '']],
  ['steps', ['0', '-1']],
  ['html', ['']],
  ['csv', ['yes']],
] as const)('%s rejects what is not valid, and says what it expects', async (key, values) => {
  for (const value of values) {
    const message = await refused({ [key]: value });
    expect(message).toContain(`${flagName(key)} must be ${benchOptions[key].parser.expects}, not `);
  }
});

test('a list of numbers may come from a variable, and a number alone is a list', () => {
  expect(resolve({ batch: 32 }).batch).toEqual([32]);
  expect(resolve({}, { DTRAIN_BATCH: '256,64' }).batch).toEqual([64, 256]);
});

test('--json and --csv exclude each other', async () => {
  expect(await refused({ json: true, csv: true })).toMatch(/--json and --csv exclude each other/);
});

test('what weak scaling makes of batch and workers must be a batch', async () => {
  const flags = { batch: '4096', workers: '1,32' };
  expect(await refused(flags)).toMatch(/--batch times --workers .* 65536 .*131072/);
  expect(resolve({ ...flags, scaling: 'strong' }).batch).toEqual([4096]);
});

test('every flag is named as its key', () => {
  for (const [key, { flag }] of Object.entries(benchOptions)) {
    expect(flag.replace(/ .*/, '')).toBe(flagName(key));
  }
  expect(environmentName('kinds')).toBe('DTRAIN_KINDS');
});
