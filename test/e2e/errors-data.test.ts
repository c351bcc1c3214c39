import { copyFile, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import { expectError } from './support/expectations.js';
import { fullMnist, type Place, test, withFullMnist } from './support/place.js';

const names = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
];

async function copyMnist(place: Place): Promise<string> {
  const folder = place.at('data');
  await mkdir(folder);
  for (const name of await readdir(fullMnist ?? '')) {
    if (!name.includes('ubyte')) continue;
    await copyFile(path.join(fullMnist ?? '', name), path.join(folder, name));
  }
  return folder;
}

/** Turns one bit of a file in its middle. */
async function damage(file: string): Promise<void> {
  const bytes = await readFile(file);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

describe.concurrent('the data folder', () => {
  for (const command of ['train', 'coordinator', 'data']) {
    test(`${command}: one that is not there`, async ({ place }) => {
      const ended = await place.run([command, '--data-dir', 'nowhere']);
      expectError(ended, 1, /nowhere does not exist.*train-images-idx3-ubyte/);
    });
  }

  test('one that the variable names, and that is a file', async ({ place }) => {
    await writeFile(place.at('file'), '');
    const ended = await place.run(['train'], { env: { DTRAIN_DATA_DIR: 'file' } });
    expectError(ended, 1, /file is no folder/);
  });

  test('one that lacks files', async ({ place }) => {
    await mkdir(place.at('data'));
    for (const name of names.slice(1)) await writeFile(place.at('data', name), '');
    const ended = await place.run(['train', '--data-dir', 'data']);
    expectError(ended, 1, /data lacks train-images-idx3-ubyte;/);
  });

  test('one with other files of these names', async ({ place }) => {
    await mkdir(place.at('data'));
    for (const name of names) await writeFile(place.at('data', name), 'something else');
    const ended = await place.run(['train', '--data-dir', 'data']);
    expectError(ended, 1, /data\/train-images-idx3-ubyte .*SHA-256/);
  });

  test.skipIf(fullMnist === undefined)(
    withFullMnist('a packed file with a wrong bit'),
    async ({ place }) => {
      const folder = await copyMnist(place);
      const file = path.join(folder, 't10k-images-idx3-ubyte.gz');
      await damage(file);
      expectError(await place.run(['train', '--data-dir', folder]), 1, new RegExp(file));
    },
  );

  test.skipIf(fullMnist === undefined)(
    withFullMnist('a packed file that is cut off'),
    async ({ place }) => {
      const folder = await copyMnist(place);
      const file = path.join(folder, 'train-images-idx3-ubyte.gz');
      await truncate(file, 1_000_000);
      expectError(await place.run(['train', '--data-dir', folder]), 1, new RegExp(file));
    },
  );

  test.skipIf(fullMnist === undefined)(
    withFullMnist('a plain file with a wrong label'),
    async ({ place }) => {
      const folder = await copyMnist(place);
      const file = path.join(folder, 't10k-labels-idx1-ubyte');
      await writeFile(file, gunzipSync(await readFile(`${file}.gz`)));
      await damage(file);
      const ended = await place.run(['data', '--data-dir', folder]);
      expectError(ended, 1, new RegExp(`${file} .*SHA-256`));
    },
  );
});

describe.concurrent('the model to evaluate', () => {
  test('one that is not there, or is something else', async ({ place }) => {
    expectError(await place.run(['eval', 'nowhere']), 1, /nowhere.*no such file/);
    await mkdir(place.at('empty'));
    expectError(await place.run(['eval', 'empty']), 1, /empty.*model\.json/);
    await writeFile(place.at('notes.txt'), 'hello');
    expectError(await place.run(['eval', 'notes.txt']), 1, /notes\.txt/);
    await writeFile(place.at('model.json'), '{"format": "layers-mod');
    expectError(await place.run(['eval', 'model.json']), 1, /model\.json/);
    await writeFile(place.at('model.safetensors'), 'hello');
    expectError(await place.run(['eval', 'model.safetensors']), 1, /model\.safetensors/);
  });

  test('one that is cut off', async ({ place }) => {
    await place.result(['train', '--steps', '2', '--out', 'run']);
    await truncate(place.at('run/model.safetensors'), 200_000);
    expectError(await place.run(['eval', 'run/model.safetensors']), 1, /model\.safetensors/);
    await truncate(place.at('run/weights.bin'), 200_000);
    expectError(await place.run(['eval', 'run/model.json']), 1, /weights\.bin/);
    const ended = await place.run(['eval', 'run']);
    expect(ended.code, 'the folder has no whole model any more').toBe(1);
  });
});
