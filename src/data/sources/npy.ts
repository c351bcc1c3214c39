import type { ArrayFile } from './arrays.js';
import { after, headOf } from './byte-stream.js';
import { damagedFile } from './source.js';

/** Bytes of a header, with all that may precede it. */
const LONGEST_HEADER = 12 + 65_536;

type Numbers = Iterable<number | bigint> & { readonly length: number };

/** NumPy's names of the types that can be read, without the byte order. */
const types: Readonly<Record<string, { size: number; view: (buffer: ArrayBuffer) => Numbers }>> = {
  b1: { size: 1, view: (buffer) => new Uint8Array(buffer) },
  i1: { size: 1, view: (buffer) => new Int8Array(buffer) },
  u1: { size: 1, view: (buffer) => new Uint8Array(buffer) },
  i2: { size: 2, view: (buffer) => new Int16Array(buffer) },
  u2: { size: 2, view: (buffer) => new Uint16Array(buffer) },
  i4: { size: 4, view: (buffer) => new Int32Array(buffer) },
  u4: { size: 4, view: (buffer) => new Uint32Array(buffer) },
  i8: { size: 8, view: (buffer) => new BigInt64Array(buffer) },
  u8: { size: 8, view: (buffer) => new BigUint64Array(buffer) },
  f4: { size: 4, view: (buffer) => new Float32Array(buffer) },
  f8: { size: 8, view: (buffer) => new Float64Array(buffer) },
};

/**
 * An array as `numpy.save` writes it. Source: NumPy, "NEP 1, a simple file format for NumPy arrays".
 * @param open gives the file's bytes from the beginning
 * @throws DtrainError DATA_DAMAGED if it is none, or one of numbers that cannot be read
 */
export async function openNpy(
  file: string,
  open: () => AsyncIterable<Uint8Array>,
): Promise<ArrayFile> {
  const head = await headOf(open(), LONGEST_HEADER);
  const magic = Buffer.from(head.subarray(0, 6)).toString('latin1');
  if (magic !== '\x93NUMPY' || head.length < 12) throw damagedFile(file, 'is not a NumPy array');
  const view = new DataView(head.buffer, head.byteOffset);
  const [at, length] =
    head[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const header = Buffer.from(head.subarray(at, at + length)).toString('latin1');
  const [, order = '', code = ''] = /'descr': '([<>|=])(\w+)'/.exec(header) ?? [];
  const extents = /'shape': \(([\d, ]*)\)/.exec(header)?.[1];
  const type = types[code];
  if (!type || extents === undefined || (order === '>' && type.size > 1)) {
    const known = 'whole numbers, float32 or float64, the least byte first';
    throw damagedFile(file, `does not hold numbers that can be read (${known})`);
  }
  if (header.includes("'fortran_order': True")) {
    throw damagedFile(file, 'is in Fortran order; save numpy.ascontiguousarray of it');
  }
  return {
    file,
    shape: [...extents.matchAll(/\d+/g)].map(([digits]) => Number(digits)),
    size: type.size,
    decode: (bytes) => {
      if (code === 'u1') return bytes;
      const own = Uint8Array.from(bytes).buffer;
      return Float32Array.from(type.view(own) as Iterable<number>, Number);
    },
    content: () => after(open(), at + length),
  };
}
