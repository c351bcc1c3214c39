import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/model/files/load.js';
import { safetensorsFile } from '../../src/model/files/safetensors.js';
import { dtrainError, randomWeights, temporaryFolder, tiny, writeTfjs } from './helpers.js';

const [weights, others] = [randomWeights(tiny, 1), randomWeights(tiny, 2)];

/** A folder with both kinds of files, of different weights. */
async function folderOfBoth(): Promise<string> {
  const folder = dirname(await writeTfjs(tiny, weights));
  await writeFile(join(folder, 'model.safetensors'), safetensorsFile(tiny, others));
  return folder;
}

describe('loadModel', () => {
  it('reads the file that it is given', async () => {
    const folder = await folderOfBoth();
    for (const [name, expected] of [
      ['model.json', weights],
      ['model.safetensors', others],
    ] as const) {
      const file = join(folder, name);
      expect(await loadModel(file)).toEqual({ model: tiny, weights: expected, file });
    }
  });

  it('reads model.json in a folder, and model.safetensors where there is none', async () => {
    const folder = await folderOfBoth();
    const [json, safetensors] = [join(folder, 'model.json'), join(folder, 'model.safetensors')];
    expect(await loadModel(folder)).toEqual({ model: tiny, weights, file: json });
    await rm(json);
    expect(await loadModel(folder)).toEqual({ model: tiny, weights: others, file: safetensors });
  });

  it('says what it looked for where there is nothing', async () => {
    const folder = await temporaryFolder();
    const missing = join(folder, 'run-7');
    await expect(loadModel(missing)).rejects.toEqual(
      dtrainError('MODEL_FILE', `${missing}: there is no such file or folder`, 'model.safetensors'),
    );
    await expect(loadModel(folder)).rejects.toEqual(
      dtrainError('MODEL_FILE', `${folder}: this folder holds neither model.json nor`),
    );
  });

  it('does not guess what other files are', async () => {
    const path = join(dirname(await writeTfjs(tiny, weights)), 'weights.bin');
    await expect(loadModel(path)).rejects.toEqual(
      dtrainError('MODEL_FILE', `${path}: a model file is named model.json, or ends in`),
    );
  });

  it.each([
    ['keras', 'keras_keras --output_format tfjs_layers_model'],
    ['h5', 'keras'],
  ])("says what converts Keras' .%s", async (format, formats) => {
    const path = join(await temporaryFolder(), `net.${format}`);
    await writeFile(path, '');
    const command = `tensorflowjs_converter --input_format ${formats} ${path} ${path.replace(/\.\w+$/, '')} `;
    await expect(loadModel(path)).rejects.toEqual(dtrainError('MODEL_FILE', command));
  });

  it('does not pass over a model.json that it cannot read', async () => {
    const folder = await folderOfBoth();
    await rm(join(folder, 'model.json'));
    await mkdir(join(folder, 'model.json'));
    await expect(loadModel(folder)).rejects.toEqual(
      dtrainError('MODEL_FILE', `${join(folder, 'model.json')}: it is a folder`),
    );
  });
});
