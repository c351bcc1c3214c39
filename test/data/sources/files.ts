import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import sharp from 'sharp';
import { ZipFile } from 'yazl';

/** An IDX file of bytes. */
export function idx(shape: readonly number[], values: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  shape.forEach((extent, axis) => header.writeUInt32BE(extent, 4 + 4 * axis));
  return Buffer.concat([header, values]);
}

/** An array as `numpy.save` writes it. */
export function npy(
  type: string,
  shape: readonly number[],
  { buffer }: { readonly buffer: ArrayBufferLike },
  order = 'False',
): Uint8Array {
  const extents = shape.length === 1 ? `${String(shape[0])},` : shape.join(', ');
  const dict = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${extents}), }`;
  const header = `${dict.padEnd(64 * Math.ceil((11 + dict.length) / 64) - 11)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  const start = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
  return Buffer.concat([start, length, Buffer.from(header, 'latin1'), new Uint8Array(buffer)]);
}

/** A file of `numpy.savez_compressed`. */
export async function writeNpz(
  file: string,
  arrays: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(arrays)) {
    zip.addBuffer(Buffer.from(content), `${name}.npy`, { forceZip64Format: true });
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
}

/** Writes files under a folder, which are made as they are needed. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

/** A grey PNG of one value. */
export async function greyPng(rows: number, columns: number, value: number): Promise<Uint8Array> {
  const pixels = new Uint8Array(rows * columns).fill(value);
  return sharp(pixels, { raw: { width: columns, height: rows, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}
