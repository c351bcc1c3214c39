import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertModel } from '../../coordinator/convert.js';
import { trainedModel } from '../../coordinator/run-model.js';
import { cnn } from '../../src/model/cnn.js';
import { loadModel } from '../../src/model/files/load.js';
import { buildModel } from '../../src/model/model.js';
import {
  bits,
  dtrainError,
  graph,
  kerasModel,
  randomWeights,
  specs,
  temporaryFolder,
  tiny,
  writeTfjs,
} from '../model/helpers.js';
import { loadInTensorFlow, predict } from '../model/tensorflow.js';
import { Predictor } from '../../src/predict/predictor.js';
import { probabilitiesOf } from '../../src/predict/probabilities.js';

/** Every finite float32 there is, with -0 and the smallest ones. */
const finite = fc.float({ noNaN: true, noDefaultInfinity: true });

/** From model.json to safetensors and back; the folders of the three. */
async function thereAndBack(first: string) {
  const [between, last] = [await temporaryFolder(), await temporaryFolder()];
  await convertModel(first, join(between, 'a.safetensors'));
  await convertModel(join(between, 'a.safetensors'), join(last, 'new/model.json'));
  return { first, between, last: join(last, 'new') };
}

describe('convertModel', () => {
  it.each([...specs, graph, cnn])('loses nothing of $name', async (spec) => {
    const model = buildModel(spec);
    const written = await writeTfjs(model, randomWeights(model, 4));
    const { first, between, last } = await thereAndBack(dirname(written));
    for (const name of ['model.json', 'weights.bin']) {
      expect(await readFile(join(last, name))).toEqual(await readFile(join(first, name)));
    }
    const { model: converted } = await loadModel(join(between, 'a.safetensors'));
    expect(converted).toEqual(model);
  });

  it('loses nothing of a model that TensorFlow.js alone has, which it loads', async () => {
    const { model, weights } = await trainedModel(kerasModel('separable'), 'tfjs');
    const { between, last } = await thereAndBack(kerasModel('separable'));
    const back = await thereAndBack(last);
    for (const name of ['model.json', 'weights.bin']) {
      expect(await readFile(join(back.last, name))).toEqual(await readFile(join(last, name)));
    }
    for (const place of [join(between, 'a.safetensors'), last]) {
      const converted = await trainedModel(place, 'tfjs');
      expect(converted.model).toEqual(model);
      expect(bits(converted.weights)).toEqual(bits(weights));
    }
    const theirs = await loadInTensorFlow(join(last, 'model.json'));
    const table = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
    const predictor = await Predictor.of(model, weights, table);
    const pixels = Uint8Array.from({ length: 36 }, (_, at) => (at * 47) % 256);
    const outputs = [
      ...predict(
        theirs,
        Float32Array.from(pixels, (byte) => byte / 255),
      ),
    ];
    const expected = probabilitiesOf(outputs, 'softmaxCrossEntropy');
    predictor.classify(pixels).forEach((share, index) => {
      expect(share).toBeCloseTo(expected[index] ?? NaN, 6);
    });
  });

  it('loses no bit of any weights', async () => {
    const all = fc.array(finite, {
      minLength: tiny.parameterCount,
      maxLength: tiny.parameterCount,
    });
    await fc.assert(
      fc.asyncProperty(all, async (values) => {
        const weights = Float32Array.from(values);
        const { last } = await thereAndBack(dirname(await writeTfjs(tiny, weights)));
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
