import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { fileError, parseJson, unreadable } from './disk.js';
import { check, clause, quoted } from './fields.js';

/** The header's length comes first, as 8 bytes. */
export const LENGTH_BYTES = 8;
const LARGEST_HEADER = 16 * 1024 * 1024;

const notNegative = 'must be a whole number, 0 or more';
const index = z.int({ error: notNegative }).min(0, { error: notNegative });
const tensor = z.object({
  dtype: z.string(),
  shape: z.array(index),
  data_offsets: z.tuple([index, index], { error: 'must be [begin, end]' }),
});
const metadata = z.record(z.string(), z.string());
const header = z.record(z.string(), z.unknown());

/** A tensor as the header describes it; its offsets count bytes from the data's beginning. */
export type Tensor = z.infer<typeof tensor>;

/** What a safetensors file says about itself. */
export interface Header {
  readonly metadata: Readonly<Partial<Record<string, string>>>;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Where the data begins in the file, in bytes. */
  readonly dataStart: number;
}

/**
 * Reads the header of a safetensors file of `size` bytes.
 * @throws DtrainError MODEL_FILE if it is damaged, or the tensors are not one after another from
 * the data's first byte to its last.
 */
export async function readHeader(handle: FileHandle, size: number, file: string): Promise<Header> {
  if (size < LENGTH_BYTES) throw fileError(file, `its ${size} bytes are no safetensors header`);
  const length = (await readExactly(handle, 0, LENGTH_BYTES, file)).readBigUInt64LE();
  const most = Math.min(LARGEST_HEADER, size - LENGTH_BYTES);
  if (length > most) {
    const claim = `its header would take ${length.toString()} bytes, where ${most} are possible`;
    throw fileError(file, `it is no safetensors file: ${claim}`);
  }
  const json = await readExactly(handle, LENGTH_BYTES, Number(length), file);
  const content = checked(header, parseJson(json, file, 'its header'), file, 'its header');
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of Object.entries(content)) {
    if (name === '__metadata__') continue;
    tensors.set(name, checked(tensor, value, file, `tensor ${quoted(name)}`));
  }
  const dataStart = LENGTH_BYTES + Number(length);
  checkOffsets(tensors, size - dataStart, file);
  return {
    metadata: checked(metadata, content.__metadata__ ?? {}, file, 'its metadata'),
    tensors,
    dataStart,
  };
}

/**
 * `length` bytes of the file from byte `from` on.
 * @throws DtrainError MODEL_FILE if it ends before that.
 */
export async function readExactly(
  handle: FileHandle,
  from: number,
  length: number,
  file: string,
): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await handle
      .read(bytes, filled, length - filled, from + filled)
      .catch((error: unknown) => {
        throw unreadable(file, error);
      });
    if (bytesRead === 0) throw fileError(file, `it ends after ${from + filled} bytes`);
    filled += bytesRead;
  }
  return bytes;
}

function checkOffsets(tensors: ReadonlyMap<string, Tensor>, dataBytes: number, file: string): void {
  let end = 0;
  const inOrder = [...tensors].sort(
    ([, one], [, other]) =>
      one.data_offsets[0] - other.data_offsets[0] || one.data_offsets[1] - other.data_offsets[1],
  );
  for (const [name, { data_offsets: offsets }] of inOrder) {
    if (offsets[0] !== end || offsets[1] < offsets[0]) {
      const range = `[${offsets.join(', ')}]`;
      throw fileError(
        file,
        `tensor ${quoted(name)} has the data_offsets ${range}, where ${end} is the next byte`,
      );
    }
    end = offsets[1];
  }
  if (end !== dataBytes) {
    throw fileError(file, `its tensors take ${end} bytes, but its data has ${dataBytes}`);
  }
}

function checked<Value>(
  schema: z.ZodType<Value>,
  value: unknown,
  file: string,
  what: string,
): Value {
  const result = check(schema, value);
  if (result.ok) return result.value;
  throw fileError(file, `${what}: ${clause(result.path, result.complaint)}`);
}
