import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { PassThrough, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { diskReason, DtrainError, reasonOf, systemCode } from '../../errors.js';
import { damagedFile } from './source.js';

/** Bytes of a file, unpacked if it is gzip. */
export async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    const handle = await open(file);
    const magic = new Uint8Array(2);
    await handle.read(magic, 0, 2, 0);
    const raw = handle.createReadStream({ start: 0, highWaterMark: 2 ** 18 });
    const packed = magic[0] === 0x1f && magic[1] === 0x8b;
    yield* packed ? unpacked(raw) : (raw as AsyncIterable<Uint8Array>);
  } catch (cause) {
    if (cause instanceof DtrainError) throw cause;
    const code = systemCode(cause);
    if (code?.startsWith('Z_') === true || code === 'ERR_STREAM_PREMATURE_CLOSE') {
      throw damagedFile(file, `holds damaged gzip data (${reasonOf(cause)})`, cause);
    }
    const message = `${file} cannot be read: ${diskReason(cause)}.`;
    throw new DtrainError('DATA_MISSING', message, { cause });
  }
}

async function* unpacked(raw: Readable): AsyncGenerator<Uint8Array> {
  const out = new PassThrough({ highWaterMark: 2 ** 18 });
  const done = pipeline(raw, createGunzip(), out);
  done.catch(() => undefined);
  yield* out as AsyncIterable<Uint8Array>;
  await done;
}

/** Cuts a stream into pieces of so many bytes; the last may be shorter. */
export async function* piecesOf(
  stream: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length;) {
      const taken = Math.min(size - filled, chunk.length - at);
      piece.set(chunk.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < size) continue;
      yield piece;
      piece = new Uint8Array(size);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}

/** The first bytes of a stream, fewer if it is shorter. */
export async function headOf(
  stream: AsyncIterable<Uint8Array>,
  bytes: number,
): Promise<Uint8Array> {
  for await (const piece of piecesOf(stream, bytes)) return piece;
  return new Uint8Array();
}

/** A stream without its first bytes. */
export async function* after(
  stream: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of stream) {
    const skipped = Math.min(left, chunk.length);
    left -= skipped;
    if (skipped < chunk.length) yield chunk.subarray(skipped);
  }
}
