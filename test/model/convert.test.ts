import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertModel } from '../../src/model/files/convert.js';
import { loadModel } from '../../src/model/files/load.js';
import { buildModel } from '../../src/model/model.js';
import {
  bits,
  dtrainError,
  randomWeights,
  specs,
  temporaryFolder,
  tiny,
  writeTfjs,
} from './helpers.js';

/** Every finite float32 there is, with -0 and the smallest ones. */
const finite = fc.float({ noNaN: true, noDefaultInfinity: true });

/** From model.json to safetensors and back; the folders of the three. */
async function thereAndBack(model: typeof tiny, weights: Float32Array) {
  const first = dirname(await writeTfjs(model, weights));
  const [between, last] = [await temporaryFolder(), await temporaryFolder()];
  await convertModel(first, join(between, 'a.safetensors'));
  await convertModel(join(between, 'a.safetensors'), join(last, 'new/model.json'));
  return { first, between, last: join(last, 'new') };
}

describe('convertModel', () => {
  it.each(specs)('loses nothing of $name', async (spec) => {
    const model = buildModel(spec);
    const { first, between, last } = await thereAndBack(model, randomWeights(model, 4));
    for (const name of ['model.json', 'weights.bin']) {
      expect(await readFile(join(last, name))).toEqual(await readFile(join(first, name)));
    }
    const { model: converted } = await loadModel(join(between, 'a.safetensors'));
    expect(converted).toEqual(model);
  });

  it('loses no bit of any weights', async () => {
    const all = fc.array(finite, {
      minLength: tiny.parameterCount,
      maxLength: tiny.parameterCount,
    });
    await fc.assert(
      fc.asyncProperty(all, async (values) => {
        const weights = Float32Array.from(values);
        const { last } = await thereAndBack(tiny, weights);
        expect(bits((await loadModel(last)).weights)).toEqual(bits(weights));
      }),
      { numRuns: 20 },
    );
  });

  it('takes along what the model was trained on', async () => {
    const first = dirname(await writeTfjs(tiny, randomWeights(tiny, 1)));
    await writeFile(join(first, 'data.json'), '{"classNames":["a","b"]}');
    const folder = join(await temporaryFolder(), 'x');
    const files = ['m.safetensors', 'data.json'].map((name) => join(folder, name));
    expect(await convertModel(first, files[0] ?? '')).toEqual(files);
    expect(await readFile(files[1] ?? '', 'utf8')).toBe('{"classNames":["a","b"]}');
    // In the same folder it is there already.
    const beside = join(folder, 'model.json');
    const written = await convertModel(files[0] ?? '', beside);
    expect(written).toEqual([join(folder, 'weights.bin'), beside]);
  });

  it('overwrites nothing, and writes nothing then', async () => {
    const first = dirname(await writeTfjs(tiny, randomWeights(tiny, 1)));
    const folder = await temporaryFolder();
    const there = join(folder, 'weights.bin');
    await writeFile(there, 'precious');
    const file = join(folder, 'model.json');
    await expect(convertModel(first, file)).rejects.toEqual(
      dtrainError('WRITE_FAILED', `${there} is there already: choose another folder.`),
    );
    expect(await readFile(there, 'utf8')).toBe('precious');
    await expect(readFile(file)).rejects.toThrow('ENOENT');
  });

  it('knows the format by the name alone', async () => {
    const first = dirname(await writeTfjs(tiny, randomWeights(tiny, 1)));
    await expect(convertModel(first, join(first, 'model.h5'))).rejects.toEqual(
      dtrainError('USAGE', 'model.h5 has no model', 'let it end in .json or .safetensors.'),
    );
  });
});
