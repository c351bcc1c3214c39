import { resolve as wholePath } from 'node:path';
import { expect, test } from 'vitest';
import { NO_AUGMENTATION, usualAmounts } from '../../src/augment/augmentation.js';
import {
  coordinatorKeys,
  environmentName,
  flagName,
  options,
  trainKeys,
  workerKeys,
} from '../../src/config/options.js';
import {
  overridesOf,
  resolveCoordinator,
  resolveTrain,
  resolveWorker,
  resumedRun,
} from '../../src/config/resolve.js';
import type { Sources } from '../../src/config/settings.js';
import type { OptionKey } from '../../src/config/types.js';
import { usageError } from './helpers.js';

interface Values {
  readonly valid: readonly [unknown, unknown][];
  readonly invalid: readonly unknown[];
  readonly expects: string;
}

const whole = (least: number, most: number): Values => ({
  valid: [
    [String(least), least],
    [String(most), most],
    [most, most],
  ],
  invalid: [least - 1, most + 1, String(most + 1), least + 0.5, 'x', '', ' 1', '0x1', '1_0', [1]],
  expects: `a whole number from ${least} to ${most}`,
});

const choice = (...names: string[]): Values => ({
  valid: names.map((name) => [name, name]),
  invalid: ['', 'x', names[0]?.toUpperCase(), 1, ['sgd']],
  expects: `one of ${names.join(', ')}`,
});

const path: Values = {
  valid: [['some folder/x', 'some folder/x']],
  invalid: ['', 'a\0b', 1, true, {}],
  expects: 'a path that is not empty',
};

const yesOrNo: Values = {
  valid: [
    [true, true],
    ['1', true],
    ['true', true],
    [false, false],
    ['0', false],
    ['false', false],
  ],
  invalid: ['yes', '', 2, {}, [true]],
  expects: 'true, false, 1 or 0',
};

const amount: Values = {
  valid: [
    ['0.30', '0.30'],
    ['0.30 EUR', '0.30 EUR'],
    [0.3, '0.3'],
  ],
  invalid: ['', '-1', '0,3', '0.30 euro', 1e-7, true],
  expects: 'an amount such as 0.30 or "0.30 EUR"',
};

const cases: Readonly<Record<Exclude<OptionKey, 'config' | 'tokenFile'>, Values>> = {
  model: {
    valid: [
      ['lenet5-1998', 'lenet5-1998'],
      ['cnn', 'cnn'],
      ['/models/mine', '/models/mine'],
      ['mine/model.json', wholePath('mine/model.json')],
    ],
    invalid: ['', 'a\0b', 3, ['cnn']],
    expects: "lenet5, lenet5-1998, mlp, cnn, or a model's file or folder",
  },
  data: path,
  dataDir: path,
  label: path,
  imageSize: {
    valid: [
      ['28x28x1', { rows: 28, columns: 28, channels: 1 }],
      ['24x32x3', { rows: 24, columns: 32, channels: 3 }],
      [
        { rows: 1, columns: 1024, channels: 3 },
        { rows: 1, columns: 1024, channels: 3 },
      ],
    ],
    invalid: [
      '28x28',
      '28x28x2',
      '0x28x1',
      '1025x28x1',
      'x28x1',
      '',
      { rows: 28, columns: 28 },
      true,
    ],
    expects: 'rows x columns x channels, such as 28x28x1 or 32x32x3, each side at most 1024',
  },
  skipBad: yesOrNo,
  normalise: choice('standard', 'unit', 'none'),
  epochs: whole(1, 10_000),
  steps: whole(1, 1_000_000_000),
  batch: whole(1, 65_536),
  optimizer: choice('sgd', 'momentum', 'adam', 'adamw'),
  lr: {
    valid: [
      ['0.1', 0.1],
      ['1e-3', 0.001],
      ['.5', 0.5],
      [100, 100],
    ],
    invalid: ['0', 0, -0.1, '100.1', 'NaN', 'Infinity', '1e-999', ''],
    expects: 'a number above 0 and at most 100',
  },
  momentum: {
    valid: [
      ['0', 0],
      ['-0', 0],
      ['0.99', 0.99],
    ],
    invalid: ['1', 1, -0.1, 'x', ''],
    expects: 'a number of at least 0 and below 1',
  },
  weightDecay: {
    valid: [
      ['0', 0],
      ['1', 1],
      ['1e-4', 0.0001],
    ],
    invalid: ['1.01', -0.1, 'x', ''],
    expects: 'a number from 0 to 1',
  },
  schedule: choice('constant', 'step', 'cosine'),
  warmup: whole(0, 1_000_000_000),
  seed: whole(0, 4_294_967_295),
  validation: whole(0, 1_000_000),
  augment: {
    valid: [
      [true, usualAmounts],
      ['1', usualAmounts],
      ['none', NO_AUGMENTATION],
      [false, NO_AUGMENTATION],
      ['rotate', { ...NO_AUGMENTATION, rotate: usualAmounts.rotate }],
      ['shift=0.1,elastic', { ...NO_AUGMENTATION, shift: 0.1, elastic: usualAmounts.elastic }],
      ['rotate=0', NO_AUGMENTATION],
      [{ scale: 0.5 }, { ...NO_AUGMENTATION, scale: 0.5 }],
    ],
    invalid: [
      '',
      'shift=',
      'shift=2',
      'rotate=-1',
      'shift=0.1=0.1',
      'shift,shift',
      'shift,',
      'blur',
      2,
      [],
      {},
      { shift: 'x' },
      { shift: null },
      { blur: 1 },
    ],
    expects:
      'none, or a list of shift (at most 0.5), rotate (at most 180), scale (at most 0.5), elastic (at most 0.5), such as shift=0.1,rotate',
  },
  engine: choice('auto', 'native', 'wasm', 'tfjs-node', 'tfjs'),
  threads: whole(1, 256),
  out: path,
  checkpointEvery: {
    valid: [
      ['500', { steps: 500 }],
      [500, { steps: 500 }],
      [{ steps: 500 }, { steps: 500 }],
      ['30s', { seconds: 30 }],
      ['5m', { seconds: 300 }],
      ['0.1s', { seconds: 0.1 }],
      [{ seconds: 30 }, { seconds: 30 }],
    ],
    invalid: [
      '0',
      0,
      '0s',
      '1.5',
      1.5,
      '',
      's',
      {},
      { steps: 0 },
      { seconds: 0 },
      { steps: 1, a: 1 },
    ],
    expects: 'a number of steps, such as 500, or a duration, such as 30s or 5m',
  },
  plan: path,
  resume: path,
  override: {
    valid: [
      ['lr', ['lr']],
      ['lr,epochs,data', ['lr', 'epochs', 'data']],
      [['weightDecay'], ['weightDecay']],
    ],
    invalid: ['', ',', 'lr,', 'model', 'learning-rate', [], 3, {}],
    expects:
      'a list of epochs, steps, batch, optimizer, lr, momentum, weightDecay, schedule, warmup, seed, validation, normalise, augment, data, engine, separated by commas',
  },
  name: {
    valid: [
      ['Run_1.b-2', 'Run_1.b-2'],
      ['x'.repeat(64), 'x'.repeat(64)],
    ],
    invalid: ['', '.hidden', '..', 'a/b', 'a b', 'ä', 'a\n', 'x'.repeat(65), 1],
    expects: "1 to 64 letters, digits, '.', '_' or '-', not beginning with '.'",
  },
  json: yesOrNo,
  quiet: yesOrNo,
  profile: yesOrNo,
  verbose: yesOrNo,
  host: {
    valid: [
      ['::1', '::1'],
      ['0.0.0.0', '0.0.0.0'],
      ['node-1.example.org', 'node-1.example.org'],
    ],
    invalid: ['', 'a b', 'http://x', 'localhost:7070', '[::1]', 7070],
    expects: 'a host name or an IP address',
  },
  port: whole(0, 65_535),
  workers: whole(0, 1024),
  token: {
    valid: [['s3cret!~', 's3cret!~']],
    invalid: ['', 'a b', 'a\n', 'ä', 'x'.repeat(257), 1],
    expects: '1 to 256 printable ASCII characters without spaces',
  },
  patience: {
    valid: [
      ['90s', 90],
      ['10m', 600],
      ['1.5h', 5400],
      ['45', 45],
      [0, 0],
      ['500h', 1_800_000],
    ],
    invalid: ['', 's', '10 m', '1d', '-1s', -1, '501h', '1h30m', 'Infinity'],
    expects: 'a duration such as 90s, 10m or 2h, at most 500h',
  },
  price: {
    valid: [
      ['0.12/h', '0.12/h'],
      ['0.12 EUR/h', '0.12 EUR/h'],
    ],
    invalid: ['', '0.12', '-0.12/h', '0.12/min', '0.12 euro/h', 0.12, '1e3/h'],
    expects: 'a price for an hour such as 0.12/h or "0.12 EUR/h"',
  },
  watts: {
    valid: [
      ['65', 65],
      ['6.5', 6.5],
      [0, 0],
    ],
    invalid: ['', '-1', -1, '65W', '1000001', 'NaN'],
    expects: 'a number of watts from 0 to 1000000',
  },
  kwh: amount,
  instance: {
    valid: [['c7g.large', 'c7g.large']],
    invalid: ['', 'a b', 'ä', 'x'.repeat(65), 1],
    expects: 'a name in the price file, 1 to 64 printable characters without spaces',
  },
  spot: yesOrNo,
  prices: path,
  perGb: amount,
  billingMinimum: {
    valid: [
      ['60s', 60],
      ['1h', 3600],
      [0, 0],
    ],
    invalid: ['', '1.5s', '-1s', '1d'],
    expects: 'a duration of whole seconds such as 60s, at most 31 days (744h)',
  },
  currency: {
    valid: [['EUR', 'EUR']],
    invalid: ['', 'eur', 'EURO', 1],
    expects: 'the code of a currency, such as EUR',
  },
  rate: {
    valid: [
      ['EUR=1.08', ['EUR=1.08']],
      ['EUR=1.08,GBP=1.27', ['EUR=1.08', 'GBP=1.27']],
      [['EUR=1.08'], ['EUR=1.08']],
      [[], []],
    ],
    invalid: ['', 'EUR', 'EUR=', 'EUR=0', 'EUR=-1', 'EUR=1,EUR=2', 'eur=1', 'EUR=1,', 1.08, [1]],
    expects: "what a unit of another currency is worth in the run's, such as EUR=1.08,GBP=1.27",
  },
  budget: {
    valid: [
      ['2.50', '2.50'],
      ['2.50 EUR', '2.50 EUR'],
      [2.5, '2.5'],
    ],
    invalid: ['', '0', '-1', -1, 0, '1e3', '2.50 euro', 'NaN', {}],
    expects: 'an amount above 0 such as 2.50 or "2.50 EUR"',
  },
  deadline: {
    valid: [
      ['20m', { seconds: 1200 }],
      [{ seconds: 5 }, { seconds: 5 }],
      ['2100-12-31T18:30', { at: new Date(2100, 11, 31, 18, 30).getTime() }],
      ['2100-12-31 8:05', { at: new Date(2100, 11, 31, 8, 5).getTime() }],
      [{ at: 7e12 }, { at: 7e12 }],
    ],
    invalid: [
      ...['', 'soon', '24:00', '12:60', '1:2:3', '-5m', '2100-02-31T10:00', '2100-13-01T10:00'],
      ...[{}, { at: 'x' }, { at: Infinity }, { seconds: -1 }],
    ],
    expects:
      'a duration such as 20m, a time of today such as 18:30, or a date and a time such as 2030-12-31T18:30',
  },
  targetAccuracy: {
    valid: [
      ['0.99', 0.99],
      ['.5', 0.5],
      [1, 1],
    ],
    invalid: ['', '0', 0, '99', '1.01', -0.5, '99 %', 'NaN'],
    expects: 'a share of 1 above 0, such as 0.99',
  },
  policy: choice('cheapest', 'fastest', 'balanced'),
  releaseIdle: yesOrNo,
  workerPrice: {
    valid: [
      ['a=0.12/h', ['a=0.12/h']],
      ['a=0.12/h,b.2=0.05 EUR/h', ['a=0.12/h', 'b.2=0.05 EUR/h']],
    ],
    invalid: ['', 'a', 'a=', 'a=0.12', '=0.12/h', 'a=1/h,a=2/h', 'a b=1/h'],
    expects: 'prices by the names of workers, such as old-laptop=0.02/h,spot-1=0.05/h',
  },
};

async function resolve(key: OptionKey, sources: Sources): Promise<object> {
  if (key === 'resume') return { resume: resumedRun(sources) };
  if (key === 'override') return { override: overridesOf(sources) };
  if (new Set<OptionKey>(trainKeys).has(key)) return resolveTrain(sources);
  if (new Set<OptionKey>(workerKeys).has(key)) return resolveWorker(sources);
  return resolveCoordinator(sources);
}

const keys = Object.keys(cases) as (keyof typeof cases)[];

/** Options that go with others. */
const company: Partial<Record<OptionKey, object>> = {
  targetAccuracy: { validation: 1000 },
  releaseIdle: { policy: 'fastest' },
};

test.each(keys)('%s accepts what is valid', async (key) => {
  for (const [given, value] of cases[key].valid) {
    const flags = { ...company[key], [key]: given };
    expect(await resolve(key, { flags, env: {} })).toHaveProperty(key, value);
  }
});

test.each(keys)('%s rejects what is not, and says what it expects', async (key) => {
  for (const given of cases[key].invalid) {
    const message = await usageError(resolve(key, { flags: { [key]: given }, env: {} }));
    const start = `${flagName(key)} must be ${cases[key].expects}`;
    expect(message).toContain(start);
    expect(message).toMatch(/\.$/);
    if (key === 'token') expect(message).toBe(`${start}.`);
    else expect(message).toContain(`${start}, not `);
  }
});

test.each(['config', 'tokenFile'] as const)('%s rejects an empty path', async (key) => {
  const message = await usageError(resolveCoordinator({ flags: { [key]: '' }, env: {} }));
  expect(message).toBe(`${flagName(key)} must be a path that is not empty, not "".`);
});

test('a coordinator may have no threads of its own', async () => {
  const flags = { threads: '0' };
  expect(await resolveCoordinator({ flags, env: {} })).toMatchObject({ threads: 0 });
  expect(await usageError(resolveTrain({ flags, env: {} }))).toBe(
    '--threads must be a whole number from 1 to 256, not "0".',
  );
  expect(await usageError(resolveWorker({ flags, env: {} }))).toContain('from 1 to 256');
  const message = await usageError(resolveCoordinator({ flags: { threads: 257 }, env: {} }));
  expect(message).toBe('--threads must be a whole number from 0 to 256, not 257.');
});

test('a long value is abridged', async () => {
  const message = await usageError(resolveTrain({ flags: { batch: '9'.repeat(1000) }, env: {} }));
  expect(message.length).toBeLessThan(130);
});

test('every option belongs to a command, and its names follow from its key', () => {
  const used = new Set<string>([...trainKeys, ...coordinatorKeys, ...workerKeys]);
  expect([...used].sort()).toEqual(Object.keys(options).sort());
  expect(flagName('weightDecay')).toBe('--weight-decay');
  expect(environmentName('weightDecay')).toBe('DTRAIN_WEIGHT_DECAY');
});
