import fc from 'fast-check';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { environmentName, trainKeys } from '../../src/config/options.js';
import { resolveCoordinator, resolveTrain, resolveWorker } from '../../src/config/resolve.js';
import { DtrainError } from '../../src/errors.js';
import { temporaryFile, usageError } from './helpers.js';

const none = { flags: {}, env: {} };
const ofOneMachine = {
  ...{ price: null, watts: null, kwh: null, instance: null, spot: false, prices: null },
  ...{ perGb: null, billingMinimum: null },
};
const threads = Math.min(availableParallelism(), 256);

test('the defaults', async () => {
  const training = {
    model: 'lenet5',
    epochs: 4,
    steps: null,
    batch: 64,
    optimizer: 'momentum',
    lr: 0.05,
    momentum: 0.9,
    weightDecay: 0,
    schedule: 'cosine',
    warmup: 200,
    seed: 1,
    validation: 0,
    normalise: null,
    augment: { shift: 0, rotate: 0, scale: 0, elastic: 0 },
  };
  const train = {
    ...training,
    ...{ data: 'mnist', dataDir: null, label: null, imageSize: null, skipBad: false },
    ...{ engine: 'auto', threads, out: null, name: null },
    ...{
      checkpointEvery: { seconds: 30 },
      plan: null,
      profile: false,
      json: false,
      quiet: false,
      verbose: false,
    },
    ...{ ...ofOneMachine, currency: null, rate: [], workerPrice: [] },
    ...{ budget: null, deadline: null, targetAccuracy: null },
  };
  expect(await resolveTrain(none)).toStrictEqual(train);
  expect(await resolveCoordinator(none)).toStrictEqual({
    ...train,
    ...{ host: '127.0.0.1', port: 7070, workers: 0, token: null },
    ...{ policy: null, releaseIdle: false },
  });
  expect(await resolveWorker(none)).toStrictEqual({
    ...{
      threads,
      name: null,
      engine: 'auto',
      token: null,
      patience: 600,
      quiet: false,
      verbose: false,
    },
    ...ofOneMachine,
  });
});

test.each([
  ['sgd', 0.2],
  ['momentum', 0.05],
  ['adam', 0.002],
  ['adamw', 0.002],
])('the default learning rate of %s', async (optimizer, lr) => {
  expect(await resolveTrain({ flags: { optimizer }, env: {} })).toMatchObject({ lr });
  expect(await resolveTrain({ flags: { optimizer, lr: '1' }, env: {} })).toMatchObject({ lr: 1 });
});

describe('precedence', () => {
  test('flags, then environment, then file, then defaults', async () => {
    const config = await temporaryFile('{"batch": 3, "epochs": 3, "seed": 3}');
    const env = { DTRAIN_BATCH: '2', DTRAIN_EPOCHS: '2' };
    const resolved = await resolveTrain({ flags: { config, batch: '1' }, env });
    expect(resolved).toMatchObject({ batch: 1, epochs: 2, seed: 3, warmup: 200 });
  });

  test('the file may be named by DTRAIN_CONFIG, and --config wins', async () => {
    const env = { DTRAIN_CONFIG: await temporaryFile('{"batch": 2}') };
    expect(await resolveTrain({ flags: {}, env })).toMatchObject({ batch: 2 });
    const flags = { config: await temporaryFile('{"batch": 1}') };
    expect(await resolveTrain({ flags, env })).toMatchObject({ batch: 1 });
  });

  test('an empty variable and null in a file count as unset', async () => {
    const config = await temporaryFile('{"batch": 3, "epochs": null}');
    const env = { DTRAIN_BATCH: '', DTRAIN_EPOCHS: '' };
    expect(await resolveTrain({ flags: { config }, env })).toMatchObject({ batch: 3, epochs: 4 });
  });

  test('a worker reads no configuration file', async () => {
    const env = { DTRAIN_CONFIG: 'nowhere.json', DTRAIN_PATIENCE: '2m' };
    expect(await resolveWorker({ flags: {}, env })).toMatchObject({ patience: 120 });
  });
});

test.each([
  ['1', true],
  ['true', true],
  ['0', false],
  ['false', false],
  ['', false],
])('DTRAIN_JSON=%s', async (text, json) => {
  expect(await resolveTrain({ flags: {}, env: { DTRAIN_JSON: text } })).toMatchObject({ json });
});

describe('what a machine costs is said in one way', () => {
  test('two of them from one source exclude each other', async () => {
    for (const [one, other] of [
      [{ price: '1/h' }, { instance: 'x' }],
      [{ price: '1/h' }, { watts: '65' }],
      [{ watts: '65' }, { instance: 'x' }],
    ]) {
      const message = await usageError(resolveWorker({ flags: { ...one, ...other }, env: {} }));
      expect(message).toMatch(/^--\w+ and --\w+ exclude each other/);
    }
  });

  test('a flag wins over the environment', async () => {
    const env = { DTRAIN_INSTANCE: 'x', DTRAIN_WATTS: '65' };
    const config = await resolveWorker({ flags: { price: '1/h' }, env });
    expect(config).toMatchObject({ price: '1/h', instance: null, watts: null });
    const flags = { watts: '65' };
    const other = await resolveWorker({
      flags,
      env: { DTRAIN_PRICE: '1/h', DTRAIN_INSTANCE: 'x' },
    });
    expect(other).toMatchObject({ price: null, instance: null, watts: 65 });
  });
});

describe('messages name the origin of a bad value', () => {
  test('a flag', async () => {
    expect(await usageError(resolveTrain({ flags: { batch: 'x' }, env: {} }))).toBe(
      '--batch must be a whole number from 1 to 65536, not "x".',
    );
  });

  test('a variable', async () => {
    expect(await usageError(resolveTrain({ flags: {}, env: { DTRAIN_BATCH: 'x' } }))).toBe(
      'DTRAIN_BATCH must be a whole number from 1 to 65536, not "x".',
    );
  });

  test('a file', async () => {
    const config = await temporaryFile('{"batch": 0}');
    expect(await usageError(resolveTrain({ flags: { config }, env: {} }))).toBe(
      `batch in ${config} must be a whole number from 1 to 65536, not 0.`,
    );
  });
});

describe('the configuration file', () => {
  const read = (config: string) => usageError(resolveTrain({ flags: { config }, env: {} }));

  test('is missing', async () => {
    expect(await read('nowhere.json')).toBe(
      'Cannot read nowhere.json, named by --config: there is no such file.',
    );
    const env = { DTRAIN_CONFIG: 'nowhere.json' };
    expect(await usageError(resolveTrain({ flags: {}, env }))).toContain('by DTRAIN_CONFIG');
  });

  test('is a folder', async () => {
    expect(await read(dirname(await temporaryFile('')))).toContain('it is a folder.');
  });

  test.each(['', '{"batch": 1', '{"token": "s3cret" x}', 's3cret'])(
    'is no JSON: %s',
    async (text) => {
      const config = await temporaryFile(text);
      const message = await read(config);
      expect(message).toMatch(/ is not valid JSON: [^\n]+\.$/);
      expect(message).not.toContain('s3cret');
    },
  );

  test.each(['[]', 'null', '1', '"x"'])('is no object: %s', async (text) => {
    const config = await temporaryFile(text);
    expect(await read(config)).toBe(`${config} must hold one JSON object of settings.`);
  });

  test.each([
    ['bacth', 'did you mean batch?'],
    ['weight-decay', 'did you mean weightDecay?'],
    ['LR', 'did you mean lr?'],
    ['flavour', 'the flags in --help, in camelCase, are the known ones.'],
    ['toString', 'the flags in --help, in camelCase, are the known ones.'],
    ['__proto__', 'the flags in --help, in camelCase, are the known ones.'],
  ])('has an unknown setting: %s', async (key, advice) => {
    const config = await temporaryFile(`{"${key}": null}`);
    expect(await read(config)).toBe(`Unknown setting "${key}" in ${config}: ${advice}`);
  });

  test('names another file', async () => {
    expect(await read(await temporaryFile('{"config": "x.json"}'))).toContain(
      'names no other file',
    );
  });

  test('may begin with a byte order mark and hold settings of other commands', async () => {
    const config = await temporaryFile('\uFEFF{"port": 1e9, "patience": "x", "batch": 3}');
    expect(await resolveTrain({ flags: { config }, env: {} })).toMatchObject({ batch: 3 });
  });

  test('is not altered by what it resolves to', async () => {
    const flags = { optimizer: 'adam', steps: '10', out: 'runs/a', name: 'a', threads: '0' };
    const first = await resolveCoordinator({
      flags,
      env: { DTRAIN_TOKEN: 'x', DTRAIN_QUIET: '1' },
    });
    const config = await temporaryFile(JSON.stringify(first));
    expect(await resolveCoordinator({ flags: { config }, env: {} })).toStrictEqual(first);
    const train = await resolveTrain({ flags: { config, threads: '2' }, env: {} });
    const { host, port, workers, token, policy, releaseIdle, ...shared } = first;
    const own = [host, port, workers, token, policy, releaseIdle];
    expect(own).toStrictEqual(['127.0.0.1', 7070, 0, 'x', null, false]);
    expect(train).toStrictEqual({ ...shared, threads: 2 });
  });
});

describe('the token', () => {
  const read = (tokenFile: string) => resolveWorker({ flags: { tokenFile }, env: {} });

  test.each(['s3cret', 's3cret\n', 's3cret\r\n'])('from a file: %j', async (text) => {
    expect(await read(await temporaryFile(text))).toMatchObject({ token: 's3cret' });
  });

  test('from a missing file', async () => {
    expect(await usageError(read('nowhere'))).toBe(
      'Cannot read nowhere, named by --token-file: there is no such file.',
    );
  });

  test.each(['', '\n'])('from an empty file: %j', async (text) => {
    const path = await temporaryFile(text);
    expect(await usageError(read(path))).toBe(`The token file ${path} is empty.`);
  });

  test.each(['two words', 'two\nlines', 'x'.repeat(257)])('from a bad file', async (text) => {
    const path = await temporaryFile(text);
    expect(await usageError(read(path))).toBe(
      `The token in ${path} must be 1 to 256 printable ASCII characters without spaces.`,
    );
  });
});

describe('settings that exclude each other', () => {
  test.each([
    [{ flags: { quiet: true, verbose: true }, env: {} }, '--quiet and --verbose'],
    [
      { flags: {}, env: { DTRAIN_QUIET: '1', DTRAIN_VERBOSE: '1' } },
      'DTRAIN_QUIET and DTRAIN_VERB',
    ],
    [{ flags: { token: 'x', tokenFile: 'y' }, env: {} }, '--token and --token-file'],
  ])('from one source', async (sources, names) => {
    expect(await usageError(resolveCoordinator(sources))).toContain(names);
    expect(await usageError(resolveWorker(sources))).toContain('exclude each other');
  });

  test('the stronger source wins', async () => {
    const loud = { flags: { verbose: true }, env: { DTRAIN_QUIET: '1' } };
    expect(await resolveTrain(loud)).toMatchObject({ quiet: false, verbose: true });
    const config = await temporaryFile('{"verbose": true}');
    const quiet = { flags: { config }, env: { DTRAIN_QUIET: '1' } };
    expect(await resolveTrain(quiet)).toMatchObject({ quiet: true, verbose: false });
    const token = { flags: { token: 'x' }, env: { DTRAIN_TOKEN_FILE: 'nowhere' } };
    expect(await resolveWorker(token)).toMatchObject({ token: 'x' });
  });

  test('one that is off excludes nothing', async () => {
    const config = await temporaryFile('{"quiet": true}');
    const sources = { flags: { config }, env: { DTRAIN_VERBOSE: '0' } };
    expect(await resolveTrain(sources)).toMatchObject({ quiet: true, verbose: false });
  });
});

test('any text resolves or is a USAGE error of one line', async () => {
  const text = fc.oneof(fc.string(), fc.double().map(String), fc.json());
  const key = fc.constantFrom(...trainKeys.filter((name) => name !== 'config'));
  await fc.assert(
    fc.asyncProperty(key, text, async (name, value) => {
      try {
        const config = await resolveTrain({ flags: {}, env: { [environmentName(name)]: value } });
        expect(JSON.parse(JSON.stringify(config))).toStrictEqual(config);
      } catch (error) {
        expect(error).toBeInstanceOf(DtrainError);
        expect(error).toHaveProperty('message', expect.stringMatching(/^DTRAIN_[^\n]+\.$/));
      }
    }),
  );
});

describe('a run that is resumed', () => {
  const saved = {
    path: 'the checkpoint',
    values: { lr: 0.3, epochs: 7, threads: 1, checkpointEvery: { steps: 9 }, port: 7171 },
  };

  test('keeps its settings, those that it was started with', async () => {
    const config = await resolveCoordinator(none, saved);
    expect(config).toMatchObject({ ...saved.values, batch: 64 });
  });

  test('takes other settings that its weights do not depend on', async () => {
    const flags = { threads: '2', checkpointEvery: '5s', port: '0' };
    const config = await resolveCoordinator({ flags, env: {} }, saved);
    expect(config).toMatchObject({ threads: 2, checkpointEvery: { seconds: 5 }, port: 0 });
  });

  test('names a setting that is another, by a flag or by a variable, and its value', async () => {
    const flag = resolveTrain({ flags: { lr: '0.2' }, env: {} }, saved);
    expect(await usageError(flag)).toBe(
      "--lr is 0.2, and the run's is 0.3: leave it out, or add --override lr to change it all the same.",
    );
    const variable = resolveTrain({ flags: {}, env: { DTRAIN_BATCH: '32' } }, saved);
    expect(await usageError(variable)).toContain("DTRAIN_BATCH is 32, and the run's is 64");
  });

  test('takes the same value again', async () => {
    const config = await resolveTrain({ flags: { lr: '0.3', batch: 64 }, env: {} }, saved);
    expect(config).toMatchObject({ lr: 0.3, batch: 64 });
  });

  test('changes what is to be overridden, and nothing else', async () => {
    const flags = { lr: '0.2', override: 'lr' };
    expect(await resolveTrain({ flags, env: {} }, saved)).toMatchObject({ lr: 0.2, epochs: 7 });
    const more = resolveTrain({ flags: { ...flags, epochs: 8 }, env: {} }, saved);
    expect(await usageError(more)).toContain("--epochs is 8, and the run's is 7");
  });

  test('never takes another model', async () => {
    const other = resolveTrain({ flags: { model: 'lenet5-1998' }, env: {} }, saved);
    expect(await usageError(other)).toBe(
      "--model is lenet5-1998, and the run's is lenet5: leave it out.",
    );
  });

  test.each(['config', 'out', 'name'])('has its own %s', async (key) => {
    const message = await usageError(resolveTrain({ flags: { [key]: 'x' }, env: {} }, saved));
    expect(message).toBe(`--${key} cannot be given with --resume: the run has its own.`);
  });
});

test.each(['resume', 'override'])('%s is for the command line alone', async (key) => {
  const config = await temporaryFile(JSON.stringify({ [key]: 'lr' }));
  const message = await usageError(resolveTrain({ flags: { config }, env: {} }));
  expect(message).toBe(`${key} in ${config} is not allowed: give it as a flag.`);
});
