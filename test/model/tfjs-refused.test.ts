import fc from 'fast-check';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildModel } from '../../src/model/model.js';
import { readTfjsModel } from '../../src/model/files/tfjs.js';
import { dtrainError, everyLayer, randomWeights, temporaryFolder, writeTfjs } from './helpers.js';

interface Layer {
  class_name: string;
  config: Record<string, unknown>;
}
interface Weight {
  name: string;
  shape: number[];
  dtype: string;
  quantization?: unknown;
}
interface Group {
  paths: string[];
  weights: Weight[];
}
interface Content {
  format: string;
  modelTopology: { class_name: string; config: { layers: Layer[] } };
  weightsManifest: Group[];
}

const model = buildModel(everyLayer);

/** Writes a model.json that `edit` has changed; returns its path. */
async function edited(edit: (content: Content) => void): Promise<string> {
  const path = await writeTfjs(model, randomWeights(model, 1));
  const content = JSON.parse(await readFile(path, 'utf8')) as Content;
  edit(content);
  await writeFile(path, JSON.stringify(content));
  return path;
}

const editLayer = (at: number, config: Record<string, unknown>, class_name?: string) => {
  return ({ modelTopology }: Content) => {
    const layer = modelTopology.config.layers.at(at);
    Object.assign(layer?.config ?? {}, config);
    if (layer && class_name !== undefined) layer.class_name = class_name;
  };
};

const addLayer = (at: number, class_name: string, config: Record<string, unknown>) => {
  return ({ modelTopology }: Content) => {
    modelTopology.config.layers.splice(at, 0, { class_name, config });
  };
};

const editWeight = (at: number, change: Partial<Weight>) => {
  return ({ weightsManifest }: Content) => {
    Object.assign(weightsManifest[0]?.weights[at] ?? {}, change);
  };
};

const editGroup = (edit: (group: Group) => void) => {
  return ({ weightsManifest }: Content) => {
    weightsManifest.forEach(edit);
  };
};

describe('readTfjsModel', () => {
  it.each<[string, (content: Content) => void, string[]]>([
    [
      'a layer that dtrain does not have',
      addLayer(2, 'BatchNormalization', { name: 'norm' }),
      ['layer "norm" (BatchNormalization)', 'Conv2D, MaxPooling2D', '--engine tfjs'],
    ],
    [
      'a layer with a name that would spoil the message',
      addLayer(2, 'Drop\nout', { name: 'x\n'.repeat(99) }),
      ['layer "x\\nx\\nx', '(Drop\\nout)'],
    ],
    [
      'an InputLayer in the middle',
      addLayer(1, 'InputLayer', { name: 'again', batch_input_shape: [null, 1, 1, 1] }),
      ['layer "again" (InputLayer)'],
    ],
    [
      'another activation',
      editLayer(1, { activation: 'gelu' }),
      ['layer "activation_1" (Activation): activation must be linear or relu', 'not "gelu"'],
    ],
    [
      'two softmaxes',
      addLayer(-1, 'Softmax', { name: 'early' }),
      ['softmaxCrossEntropy contains the softmax that it ends in'],
    ],
    [
      'a softmax along another axis',
      editLayer(-1, { axis: 2 }, 'Softmax'),
      ['layer "softmax" (Softmax): axis must be -1 or 1'],
    ],
    [
      'a dense layer without a bias',
      editLayer(7, { use_bias: false }),
      ['layer "dense_1" (Dense): use_bias must be true'],
    ],
    [
      'channels first',
      editLayer(0, { data_format: 'channels_first' }),
      ['layer "conv2d_1" (Conv2D): data_format must be channels_last, not "channels_first"'],
    ],
    [
      'dilation',
      editLayer(0, { dilation_rate: [1, 2] }),
      ['layer "conv2d_1" (Conv2D): dilation_rate must be 1'],
    ],
    ['groups', editLayer(0, { groups: 3 }), ['layer "conv2d_1" (Conv2D): groups must be 1']],
    [
      'causal padding',
      editLayer(0, { padding: 'causal' }),
      ['layer "conv2d_1" (Conv2D): padding must be valid or same, not "causal"'],
    ],
    [
      'a kernel of three axes',
      editLayer(3, { kernel_size: [1, 1, 1] }),
      ['layer "conv2d_2" (Conv2D): kernel_size must be one or two whole numbers'],
    ],
    ['a ReLU5', editLayer(1, { max_value: 5 }, 'ReLU'), ['(ReLU): max_value must be null or 6']],
    [
      'a ReLU6 that leaks',
      editLayer(1, { negative_slope: 0.1, max_value: 6 }, 'ReLU'),
      ['(ReLU): negative_slope must be 0'],
    ],
    [
      'a window that does not fit, by the name in the file',
      editLayer(3, { kernel_size: 8, name: 'theirs' }),
      ['layer "theirs" (Conv2D): its 8x8 window does not fit in the 6x7 input'],
    ],
    [
      'a flat input',
      editLayer(0, { batch_input_shape: [null, 784] }),
      ['layer "conv2d_1" (Conv2D): batch_input_shape must be [null, rows, columns, channels]'],
    ],
    [
      'a model of another class',
      (content) => (content.modelTopology.class_name = 'MyModel'),
      ['modelTopology.class_name must be Sequential or Functional', 'not "MyModel"'],
    ],
    [
      'a graph model',
      (content) => (content.format = 'graph-model'),
      ['format must be layers-model, not "graph-model"'],
    ],
    [
      'a topology without layers',
      (content) => (content.modelTopology.config.layers = []),
      ['modelTopology.config.layers must hold a layer'],
    ],
    [
      'too many layers',
      ({ modelTopology: { config } }) => {
        const relu = { class_name: 'ReLU', config: { name: 'relu' } };
        config.layers.splice(1, 0, ...Array<Layer>(256).fill(relu));
      },
      ['layers must hold 256 layers or fewer'],
    ],
    [
      'weights of another shape',
      editWeight(0, { shape: [2, 3, 5, 3] }),
      ['weight "conv2d_1/kernel" has the shape [2, 3, 5, 3], not [2, 3, 3, 5]'],
    ],
    [
      'weights of another type',
      editWeight(1, { dtype: 'int32' }),
      ['"conv2d_1/bias" is not plain'],
    ],
    ['weights of an unknown type', editWeight(1, { dtype: 'x' }), ['"conv2d_1/bias" is not plain']],
    [
      'quantized weights',
      editWeight(1, { quantization: { dtype: 'uint8', scale: 1, min: 0 } }),
      ['weight "conv2d_1/bias" is not plain float32'],
    ],
    [
      'weights of no layer',
      editWeight(1, { name: 'dense_9/bias' }),
      ['weight "dense_9/bias" is listed twice, or belongs to no layer'],
    ],
    ['weights that are there twice', editWeight(1, { name: 'conv2d_1/kernel' }), ['listed twice']],
    [
      'weights that are missing',
      editGroup(({ weights }) => weights.pop()),
      ['its weightsManifest lacks "dense_2/bias"'],
    ],
    [
      'two layers of one name',
      editLayer(3, { name: 'conv2d_1' }),
      ['two layers have the weight "conv2d_1/kernel"'],
    ],
    [
      'a group without files',
      editGroup(({ paths }) => paths.pop()),
      ['weightsManifest[0].paths must name a file'],
    ],
    [
      'a file that is not there',
      editGroup((group) => (group.paths = ['shard7.bin'])),
      ['/shard7.bin: there is no such file'],
    ],
    [
      'the same file twice',
      editGroup(({ paths }) => paths.push(...paths)),
      ['/weights.bin: it has ', ' bytes with the rest of its group, but '],
    ],
  ])('refuses %s', async (_title, edit, parts) => {
    const path = await edited(edit);
    const expected = dtrainError('MODEL_FILE', dirname(path), ...parts);
    await expect(readTfjsModel(path)).rejects.toEqual(expected);
  });

  it.each([
    '../weights.bin',
    'a/../../weights.bin',
    '/etc/hosts',
    'C:\\x',
    '..\\x',
    'a\0',
    '',
    '..',
  ])('reads nothing outside of its folder: %j', async (outside) => {
    const path = await edited(editGroup((group) => (group.paths = [outside])));
    const expected = dtrainError('MODEL_FILE', path, 'is no place in its folder');
    await expect(readTfjsModel(path)).rejects.toEqual(expected);
  });

  it('names both files and sizes if the weights are truncated', async () => {
    const path = await writeTfjs(model, randomWeights(model, 1));
    const weightsFile = join(dirname(path), 'weights.bin');
    await truncate(weightsFile, 99);
    await expect(readTfjsModel(path)).rejects.toEqual(
      dtrainError(
        'MODEL_FILE',
        `${weightsFile}: it has 99 bytes`,
        `${path} lists ${4 * model.parameterCount}`,
      ),
    );
  });

  it.each([NaN, Infinity, -Infinity])('names a weight that is %s', async (value) => {
    const weights = randomWeights(model, 1);
    weights[model.parameters[1]?.offset ?? 0] = value;
    const path = await writeTfjs(model, weights);
    await expect(readTfjsModel(path)).rejects.toEqual(
      dtrainError('MODEL_FILE', path, `weight "conv2d_1/bias" holds ${value} at index 0`),
    );
  });

  it('refuses what is not JSON, not a file, or not there', async () => {
    const path = join(await temporaryFolder(), 'model.json');
    const refused = async (problem: string) => {
      const expected = dtrainError('MODEL_FILE', `${path}: ${problem}`);
      await expect(readTfjsModel(path)).rejects.toEqual(expected);
    };
    await refused('there is no such file');
    for (const text of ['', '{', '<html>', Uint8Array.of(0x22, 0xff, 0x22)]) {
      await writeFile(path, text);
      await refused('it is not valid JSON');
    }
    await writeFile(path, '[]');
    await refused('it must be an object');
    await writeFile(path, '{}');
    await refused('modelTopology is missing');
    await truncate(path, 17 * 1024 * 1024);
    await refused('it is larger than');
    await rm(path);
    await mkdir(path);
    await refused('it is a folder');
  });

  it('throws nothing but DtrainError for a model.json with any value anywhere', async () => {
    const path = await writeTfjs(model, randomWeights(model, 1));
    const text = await readFile(path, 'utf8');
    const places = countPlaces(JSON.parse(text));
    const property = fc.asyncProperty(
      fc.nat(places - 1),
      fc.oneof(fc.jsonValue(), fc.constant(undefined)),
      async (place, value) => {
        await writeFile(path, replacePlace(JSON.parse(text), place, value));
        const error: unknown = await readTfjsModel(path).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error !== undefined) expect(error).toEqual(dtrainError('MODEL_FILE'));
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });
});

/** How many values there are in a JSON value, itself and those inside of it. */
function countPlaces(json: unknown): number {
  let count = 0;
  JSON.stringify(json, (_key, value: unknown) => {
    count++;
    return value;
  });
  return count;
}

/** The text of a JSON value with another one, or none, at the place of this number. */
function replacePlace(json: unknown, place: number, replacement: unknown): string {
  let count = 0;
  const text: unknown = JSON.stringify(json, (_key, value: unknown) => {
    return count++ === place ? replacement : value;
  });
  return typeof text === 'string' ? text : '';
}
