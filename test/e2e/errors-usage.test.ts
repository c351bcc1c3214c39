import { writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { expectError, expectNoTrace } from './support/expectations.js';
import { test } from './support/place.js';

/** What is typed, and what the one sentence must say. */
const mistakes: readonly (readonly [line: string, words: RegExp])[] = [
  ['train --bacth 64', /--bacth/],
  ['worker ws://127.0.0.1:1 --batch 3', /--batch/],
  ['trian', /trian/],
  ['train surplus', /argument/],
  ['worker', /url/],
  ['eval', /run\|model/],
  ['train --batch', /--batch/],
  ['train --batch 0', /--batch must be a whole number from 1 to 65536, not "0"/],
  ['train --batch 65537', /--batch .* from 1 to 65536/],
  ['train --batch 6.5', /--batch .* whole number/],
  ['train --batch 64x', /--batch .* whole number/],
  ['train --epochs 0', /--epochs .* from 1 to/],
  ['train --steps 0', /--steps .* from 1 to/],
  ['train --threads 0', /--threads .* from 1 to/],
  ['train --seed -1', /--seed .* from 0 to 4294967295/],
  ['train --lr 0', /--lr .* above 0/],
  ['train --lr NaN', /--lr .* above 0/],
  ['train --momentum 1', /--momentum .* below 1/],
  ['train --weight-decay -0.1', /--weight-decay .* from 0 to 1/],
  [
    'train --model lenet6',
    /There is no model .*lenet6: give --model lenet5, .* or a model's file or folder/,
  ],
  ['train --optimizer rms', /--optimizer must be one of sgd, momentum, adam, adamw/],
  ['train --schedule linear', /--schedule must be one of constant, step, cosine/],
  ['train --engine cuda', /--engine must be one of auto, native, wasm/],
  ['train --validation 9000', /--validation 9000 .*9000 samples/],
  ['train --name ../escape', /--name must be .*letters/],
  ['train --deadline soon', /--deadline must be a duration such as 20m, a time of today/],
  ['train --deadline 2020-01-01T10:00', /--deadline is in the past .*give a time to come/],
  ['train --target-accuracy 99', /--target-accuracy must be a share of 1/],
  ['train --target-accuracy 0.9', /--target-accuracy .*add --validation 5000/],
  ['train --budget 0', /--budget must be an amount above 0/],
  ['coordinator --release-idle', /--release-idle goes with --policy/],
  ['coordinator --token a --token-file b', /--token and --token-file exclude each other/],
  ['train --config nowhere.json', /nowhere\.json.*--config.*no such file/],
  ['coordinator --port 65536', /--port .* from 0 to 65535/],
  ['coordinator --host 1.2.3.4.5/6', /--host must be a host name/],
  ['coordinator --workers -1', /--workers .* from 0 to/],
  ['coordinator --token-file nowhere', /nowhere.*--token-file.*no such file/],
  ['worker http//host', /http\/\/host.*ws:\/\/host:7070/],
  ['worker ftp://host', /ftp:\/\/host.*ws:\/\/host:7070/],
  ['worker ws://127.0.0.1:99999', /ws:\/\/127\.0\.0\.1:99999.*ws:\/\/host:7070/],
  ['worker ws://127.0.0.1:1 --patience soon', /--patience must be a duration/],
];

describe.concurrent(
  'what is typed wrongly is named, with what is allowed; the exit code is 2',
  () => {
    test.for(mistakes)('dtrain %s', async ([line, words], { place }) => {
      expectError(await place.run(line.split(' ')), 2, words);
    });

    test('a variable is named as such', async ({ place }) => {
      const env = { DTRAIN_EPOCHS: 'many' };
      expectError(await place.run(['train'], { env }), 2, /DTRAIN_EPOCHS must be .*"many"/);
    });

    test("a file's setting is named with the file", async ({ place }) => {
      await writeFile(place.at('settings.json'), '{ "batch": 0 }');
      const wrong = await place.run(['train', '--config', 'settings.json']);
      expectError(wrong, 2, /batch in settings\.json must be a whole number/);
      await writeFile(place.at('settings.json'), '{ "bacth": 1 }');
      const unknown = await place.run(['train', '--config', 'settings.json']);
      expectError(unknown, 2, /"bacth" in settings\.json.*batch/);
      await writeFile(place.at('settings.json'), '{ batch: 1 }');
      const broken = await place.run(['train', '--config', 'settings.json']);
      expectError(broken, 2, /settings\.json is not valid JSON/);
    });

    test('a bad token is not repeated', async ({ place }) => {
      const ended = await place.run(['coordinator', '--token', 'se cret']);
      expectError(ended, 2, /--token must be/);
      expect(ended.stdout + ended.stderr).not.toContain('se cret');
    });

    test('without a command it prints the help, and fails', async ({ place }) => {
      const { code, stdout, stderr } = await place.run([]);
      expect(code).toBe(2);
      expect(stdout + stderr).toMatch(/^Usage: dtrain/);
      expectNoTrace(stdout + stderr);
    });

    for (const [title, flags, env] of [
      ['--verbose', ['--verbose'], {}],
      ['DTRAIN_VERBOSE', [], { DTRAIN_VERBOSE: 'true' }],
    ] as const) {
      test(`${title} shows where an error comes from`, async ({ place }) => {
        const args = ['train', '--data-dir', '/nonexistent', ...flags];
        const { code, stderr } = await place.run(args, { env });
        expect(code).toBe(1);
        expect(stderr).toMatch(/^error: .*\/nonexistent/m);
        expect(stderr).toMatch(/^\s+at .*\.js:\d+/m);
        expect(stderr, 'and its cause').toMatch(/cause: Error: ENOENT/);
      });
    }
  },
);
