import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import type { Model, Parameter } from '../model.js';
import { describedModel } from './describe.js';
import { fileError, fileSize, parseJson, unreadable } from './disk.js';
import { checkFinite, readFloats, weightBytes } from './floats.js';
import { quoted, sameShape, shapeText } from './fields.js';
import {
  LENGTH_BYTES,
  readExactly,
  readHeader,
  type Header,
  type Tensor,
} from './safetensors-header.js';

/** A model, whatever its layers are. */
type Described = Pick<Model, 'parameters' | 'parameterCount'> & {
  readonly spec: { readonly name: string };
};

/**
 * A model and its flat weights as a safetensors file: one F32 tensor for each parameter, under
 * the parameter's name, in the model's order; the metadata holds the model's description. What
 * follows the header is the weights as little-endian float32, and nothing else.
 * @throws RangeError if there are not as many weights as the model has parameters.
 */
export function safetensorsFile(model: Described, weights: Float32Array): Uint8Array {
  const data = weightBytes(model, weights);
  const tensors = model.parameters.map(({ name, shape, offset, size }) => [
    name,
    { dtype: 'F32', shape, data_offsets: [4 * offset, 4 * (offset + size)] },
  ]);
  const json = JSON.stringify({
    __metadata__: { format: 'dtrain', model: JSON.stringify(model.spec) },
    ...Object.fromEntries(tensors),
  });
  const header = new TextEncoder().encode(json);
  const dataStart = LENGTH_BYTES + 8 * Math.ceil(header.length / 8);
  const bytes = new Uint8Array(dataStart + data.length).fill(0x20, 0, dataStart);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - LENGTH_BYTES), true);
  bytes.set(header, LENGTH_BYTES);
  bytes.set(data, dataStart);
  return bytes;
}

/**
 * Reads what `safetensorsFile` writes, its tensors in any order.
 * @throws DtrainError MODEL_FILE, naming the file, if it cannot be read, is damaged, does not
 * hold a dtrain model's description, or the tensors are not that model's, in finite numbers.
 */
export async function readSafetensors(
  path: string,
): Promise<{ model: Model; weights: Float32Array }> {
  const description = await readDescription(path);
  if (z.object({ topology: z.object() }).safeParse(description).success) {
    throw fileError(path, "it is a model of TensorFlow.js's layers, which --engine tfjs takes");
  }
  const model = describedModel(path, description);
  return { model, weights: await readTensors(path, model) };
}

/**
 * What the metadata says of the model.
 * @throws DtrainError MODEL_FILE
 */
export async function readDescription(path: string): Promise<unknown> {
  const { metadata } = await withHeader(path, (_, header) => header);
  if (metadata.model !== undefined) {
    return parseJson(metadata.model, path, 'its model description');
  }
  throw fileError(
    path,
    "a safetensors file without dtrain's model description in its metadata cannot be evaluated",
  );
}

/**
 * The flat weights of a model.
 * @throws DtrainError MODEL_FILE if the tensors are not the model's, in finite numbers
 */
export function readTensors(path: string, model: Described): Promise<Float32Array> {
  return withHeader(path, async (handle, header) => {
    checkTensors(header, model, path);
    const data = await readExactly(handle, header.dataStart, 4 * model.parameterCount, path);
    const weights = new Float32Array(model.parameterCount);
    for (const { name, offset, size } of model.parameters) {
      const from = header.tensors.get(name)?.data_offsets[0] ?? 0;
      readFloats(data, from, weights.subarray(offset, offset + size));
    }
    checkFinite(model, weights, path);
    return weights;
  });
}

async function withHeader<T>(
  path: string,
  use: (handle: FileHandle, header: Header) => T | Promise<T>,
): Promise<T> {
  const fileBytes = await fileSize(path);
  const handle = await open(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    return await use(handle, await readHeader(handle, fileBytes, path));
  } finally {
    await handle.close();
  }
}

/** The offsets are known to leave no gap, so that right sizes make right places. */
function checkTensors({ tensors }: Header, model: Described, file: string): void {
  for (const parameter of model.parameters) {
    checkTensor(tensors.get(parameter.name), parameter, file);
  }
  const names = new Set(model.parameters.map(({ name }) => name));
  const extra = [...tensors.keys()].find((name) => !names.has(name));
  if (extra !== undefined) {
    throw fileError(file, `its model ${model.spec.name} has no tensor ${quoted(extra)}`);
  }
}

function checkTensor(
  tensor: Tensor | undefined,
  { name, shape, size }: Parameter,
  file: string,
): void {
  if (tensor === undefined) throw fileError(file, `tensor ${quoted(name)} is missing`);
  const { dtype, shape: found, data_offsets: offsets } = tensor;
  const title = `tensor ${quoted(name)}`;
  if (dtype !== 'F32') {
    throw fileError(file, `${title} has the dtype ${quoted(dtype)} instead of "F32"`);
  }
  if (!sameShape(found, shape)) {
    throw fileError(file, `${title} has the shape ${shapeText(found)}, not ${shapeText(shape)}`);
  }
  if (offsets[1] - offsets[0] !== 4 * size) {
    throw fileError(file, `${title} has ${offsets[1] - offsets[0]} bytes, not ${4 * size}`);
  }
}
