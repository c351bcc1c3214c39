import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildModel, type Model } from '../../src/model/model.js';
import { readSafetensors, safetensorsFile } from '../../src/model/files/safetensors.js';
import {
  bits,
  dtrainError,
  everyLayer,
  randomWeights,
  graph,
  specs,
  temporaryFolder,
  tiny,
} from './helpers.js';

const model = buildModel(everyLayer);

/** Every kind of finite number: zeros of both signs, subnormal and normal ones. */
function weightsOf(model: Model): Float32Array {
  const weights = randomWeights(model, 7);
  weights.set([-0, 0, 2 ** -149, -(2 ** -140), 3.4028234663852886e38]);
  return weights;
}

async function written(bytes: Uint8Array | string): Promise<string> {
  const path = join(await temporaryFolder(), 'model.safetensors');
  await writeFile(path, bytes);
  return path;
}

interface Tensor {
  dtype: string;
  shape: number[];
  data_offsets: number[];
}
interface Header {
  __metadata__: Record<string, unknown>;
  [name: string]: Tensor | Record<string, unknown>;
}

/** A file's bytes with another header. */
function withHeader(bytes: Uint8Array, edit: (header: Header) => void): Uint8Array {
  const end = 8 + Number(Buffer.from(bytes).readBigUInt64LE());
  const header = JSON.parse(Buffer.from(bytes.subarray(8, end)).toString()) as Header;
  edit(header);
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, bytes.subarray(end)]);
}

describe('safetensors', () => {
  it.each([...specs, graph])('keeps every bit of $name', async (spec) => {
    const model = buildModel(spec);
    const weights = weightsOf(model);
    const read = await readSafetensors(await written(safetensorsFile(model, weights)));
    expect(read.model).toEqual(model);
    expect(bits(read.weights)).toEqual(bits(weights));
  });

  it.each([...specs, graph])(
    'has the weights of $name and nothing else behind an aligned header',
    (spec) => {
      const model = buildModel(spec);
      const weights = weightsOf(model);
      const file = Buffer.from(safetensorsFile(model, weights));
      const dataStart = 8 + Number(file.readBigUInt64LE());
      expect(dataStart % 8).toBe(0);
      expect(file.subarray(dataStart).equals(Buffer.from(weights.buffer))).toBe(true);
    },
  );

  it('does not take the weights of another model', () => {
    expect(() => safetensorsFile(tiny, new Float32Array(7))).toThrow(RangeError);
  });
});

const tensor = (header: Header, name: string) => header[name] as Tensor;
const describing = (description: unknown) => (header: Header) => {
  header.__metadata__ = { model: JSON.stringify(description) };
};

describe('readSafetensors', () => {
  it.each<[string, (header: Header) => void, string[]]>([
    [
      'a file without metadata',
      (header) => Reflect.deleteProperty(header, '__metadata__'),
      ["a safetensors file without dtrain's model description", 'cannot be evaluated'],
    ],
    [
      "others' metadata",
      (header) => (header.__metadata__ = { format: 'pt' }),
      ["a safetensors file without dtrain's model description"],
    ],
    [
      'metadata that is no text',
      (header) => (header.__metadata__ = { model: 1 }),
      ['its metadata: model must be a string'],
    ],
    [
      'a description that is not JSON',
      (header) => (header.__metadata__ = { model: '{' }),
      ['its model description is not valid JSON'],
    ],
    [
      'an unknown layer in the description',
      describing({ ...everyLayer, layers: [{ type: 'lstm' }] }),
      ['layer 1: type must be one of conv2d'],
    ],
    [
      'a description whose layers do not fit together',
      describing({ ...everyLayer, input: [1, 1, 1] }),
      ['layer 4 (conv2d): its 1x4 window does not fit in the 1x1 input'],
    ],
    [
      'the description of another model',
      describing(specs[0]),
      ['tensor "conv2d_1/kernel" has the shape [2, 3, 3, 5], not [5, 5, 1, 6]'],
    ],
    [
      'another dtype',
      (header) => (tensor(header, 'dense_1/bias').dtype = 'I32'),
      ['tensor "dense_1/bias" has the dtype "I32" instead of "F32"'],
    ],
    [
      'another shape',
      (header) => tensor(header, 'dense_1/bias').shape.push(1),
      ['tensor "dense_1/bias" has the shape [7, 1], not [7]'],
    ],
    [
      'a tensor too few',
      (header) => {
        const { data_offsets: last } = tensor(header, 'dense_2/bias');
        const { data_offsets: previous } = tensor(header, 'dense_2/kernel');
        previous[1] = last[1] ?? 0;
        Reflect.deleteProperty(header, 'dense_2/bias');
      },
      ['tensor "dense_2/kernel" has 96 bytes, not 84'],
    ],
    [
      'a tensor of another name',
      (header) => {
        header.extra = tensor(header, 'dense_2/bias');
        Reflect.deleteProperty(header, 'dense_2/bias');
      },
      ['tensor "dense_2/bias" is missing'],
    ],
    [
      'a tensor too many',
      (header) => (header.extra = { dtype: 'F32', shape: [0], data_offsets: [0, 0] }),
      ['its model every.layer_1 has no tensor "extra"'],
    ],
    [
      'a gap between two tensors',
      (header) => (tensor(header, 'conv2d_1/bias').data_offsets = [361, 380]),
      ['tensor "conv2d_1/bias" has the data_offsets [361, 380], where 360 is the next byte'],
    ],
    [
      'tensors that overlap',
      (header) => (tensor(header, 'conv2d_1/bias').data_offsets = [356, 380]),
      ['tensor "conv2d_1/bias" has the data_offsets [356, 380]'],
    ],
    [
      'offsets that go back',
      (header) => (tensor(header, 'conv2d_1/bias').data_offsets = [360, 300]),
      ['tensor "conv2d_1/bias" has the data_offsets [360, 300]'],
    ],
    [
      'negative offsets',
      (header) => (tensor(header, 'conv2d_1/kernel').data_offsets = [-8, 360]),
      ['tensor "conv2d_1/kernel": data_offsets[0] must be a whole number, 0 or more'],
    ],
    [
      'huge offsets',
      (header) => (tensor(header, 'dense_2/bias').data_offsets[1] = 2 ** 60),
      ['tensor "dense_2/bias": data_offsets[1] must be a whole number'],
    ],
    [
      'tensors of more bytes than there are',
      (header) => (tensor(header, 'dense_2/bias').data_offsets[1] = 2 ** 40),
      ['its tensors take 1099511627776 bytes, but its data has '],
    ],
  ])('refuses %s', async (_title, edit, parts) => {
    const path = await written(withHeader(safetensorsFile(model, weightsOf(model)), edit));
    await expect(readSafetensors(path)).rejects.toEqual(dtrainError('MODEL_FILE', path, ...parts));
  });

  it('refuses a file that is cut off, or longer than its tensors', async () => {
    const bytes = safetensorsFile(model, weightsOf(model));
    const dataBytes = 4 * model.parameterCount;
    for (const [content, problem] of [
      [bytes.subarray(0, 0), 'its 0 bytes are no safetensors header'],
      [bytes.subarray(0, 7), 'its 7 bytes are no safetensors header'],
      [bytes.subarray(0, 8), 'its header would take '],
      [bytes.subarray(0, 500), 'its header would take '],
      [
        bytes.subarray(0, -1),
        `its tensors take ${dataBytes} bytes, but its data has ${dataBytes - 1}`,
      ],
      [Buffer.concat([bytes, bytes.subarray(0, 1)]), `but its data has ${dataBytes + 1}`],
    ] as const) {
      const path = await written(content);
      await expect(readSafetensors(path)).rejects.toEqual(dtrainError('MODEL_FILE', path, problem));
    }
  });

  it('refuses a header that would be huge before it makes room for it', async () => {
    const path = await written(Buffer.alloc(9, 0xff));
    const expected = dtrainError('MODEL_FILE', path, 'its header would take 18446744073709551615');
    await expect(readSafetensors(path)).rejects.toEqual(expected);
  });

  it.each([NaN, Infinity])('names a weight that is %s', async (value) => {
    const weights = weightsOf(model);
    weights[weights.length - 1] = value;
    const path = await written(safetensorsFile(model, weights));
    const problem = `weight "dense_2/bias" holds ${value} at index 2`;
    await expect(readSafetensors(path)).rejects.toEqual(dtrainError('MODEL_FILE', path, problem));
  });

  it('names a file that is not there, or a folder', async () => {
    const folder = await temporaryFolder();
    for (const [path, problem] of [
      [join(folder, 'x.safetensors'), 'there is no such file'],
      [folder, 'it is a folder'],
    ] as const) {
      const expected = dtrainError('MODEL_FILE', `${path}: ${problem}`);
      await expect(readSafetensors(path)).rejects.toEqual(expected);
    }
  });

  it('throws nothing but DtrainError, whatever became of its bytes', async () => {
    const bytes = safetensorsFile(tiny, Float32Array.of(1, 2, 3, 4, 5, 6));
    const path = await written(bytes);
    const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 });
    const size = fc.oneof(fc.constant(bytes.length), fc.nat(bytes.length));
    const property = fc.asyncProperty(damage, size, async (changes, size) => {
      const damaged = bytes.slice(0, size);
      for (const [at, value] of changes) damaged[at] = value;
      await onlyDtrainErrors(path, damaged);
    });
    await fc.assert(property, { numRuns: 1000 });
  });

  it('throws nothing but DtrainError, whatever its header says', async () => {
    const bytes = safetensorsFile(tiny, Float32Array.of(1, 2, 3, 4, 5, 6));
    const path = await written(bytes);
    const entry = fc.record({
      dtype: fc.constantFrom('F32', 'F64'),
      shape: fc.array(fc.nat(4)),
      data_offsets: fc.oneof(fc.tuple(fc.nat(24), fc.nat(24)), fc.jsonValue()),
    });
    const name = fc.constantFrom('dense_1/kernel', 'dense_1/bias', '__metadata__', '__proto__');
    const property = fc.asyncProperty(
      name,
      fc.oneof(entry, fc.jsonValue()),
      async (name, value) => {
        const edited = withHeader(bytes, (header) => {
          Object.defineProperty(header, name, { value, enumerable: true });
        });
        await onlyDtrainErrors(path, edited);
      },
    );
    await fc.assert(property, { numRuns: 500 });
  });
});

async function onlyDtrainErrors(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes);
  try {
    await readSafetensors(path);
  } catch (error) {
    expect(error).toEqual(dtrainError('MODEL_FILE', path));
  }
}
