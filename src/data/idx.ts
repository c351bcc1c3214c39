import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DtrainError, reasonOf, systemCode } from '../errors.js';

const IMAGES_MAGIC = 0x00000803;
const LABELS_MAGIC = 0x00000801;

const unzip = promisify(gunzip);
/** Bytes: zlib takes no less. */
const LEAST_CHUNK = 64;

/** Where bytes came from, for the message about what is wrong with them. */
export interface FileOrigin {
  /** The file's path, or whatever else begins the sentence. */
  readonly path: string;
  /** What to do if the file is damaged; the sentence's end. */
  readonly advice?: string;
}

/** Grey images of one size, row-major. */
export interface IdxImages {
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
  /** count * rows * columns bytes: a view of the parsed file. */
  readonly pixels: Uint8Array;
}

/** DATA_DAMAGED: "`path` `what`; `advice`." */
export function damaged(origin: FileOrigin, what: string, cause?: unknown): DtrainError {
  const advice = origin.advice === undefined ? '' : `; ${origin.advice}`;
  return new DtrainError('DATA_DAMAGED', `${origin.path} ${what}${advice}.`, { cause });
}

/**
 * A file's content: unpacked if it begins with gzip's magic bytes, and itself otherwise.
 * Throws DATA_DAMAGED if the gzip data is damaged or unpacks to more than `maxBytes` bytes.
 */
export async function uncompressed(
  bytes: Uint8Array,
  origin: FileOrigin,
  maxBytes: number,
): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    // In one piece: pieces that are put together at the end would take the memory twice.
    const chunkSize = Math.max(LEAST_CHUNK, Math.min(claimedSize(bytes), maxBytes));
    const content = await unzip(bytes, { maxOutputLength: maxBytes, chunkSize });
    return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  } catch (error) {
    if (systemCode(error) === 'ERR_BUFFER_TOO_LARGE') {
      throw damaged(origin, `unpacks to more than the ${maxBytes} bytes it should hold`, error);
    }
    const reason = reasonOf(error);
    throw damaged(origin, `holds damaged gzip data (${reason})`, error);
  }
}

/** What gzip data says at its end that it unpacks to; true of sound data below 4 GiB. */
function claimedSize(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length < 4 ? 0 : view.getUint32(bytes.length - 4, true);
}

/**
 * Parses an uncompressed IDX file of unsigned bytes with three dimensions: count, rows, columns.
 * Throws DATA_DAMAGED if it is not one, or its size is not what its header says.
 */
export function parseImages(bytes: Uint8Array, origin: FileOrigin): IdxImages {
  const header = readHeader(bytes, origin, IMAGES_MAGIC, 'images');
  const [count, rows, columns] = [header.getUint32(4), header.getUint32(8), header.getUint32(12)];
  checkSize(bytes, 16 + count * rows * columns, origin, `${count} images of ${rows}x${columns}`);
  return { count, rows, columns, pixels: plainView(bytes, 16) };
}

/**
 * Parses an uncompressed IDX file of unsigned bytes with one dimension: one label a sample.
 * Throws DATA_DAMAGED if it is not one, its size is not what its header says, or a label is not
 * below `classes`.
 */
export function parseLabels(bytes: Uint8Array, origin: FileOrigin, classes: number): Uint8Array {
  const count = readHeader(bytes, origin, LABELS_MAGIC, 'labels').getUint32(4);
  checkSize(bytes, 8 + count, origin, `${count} labels`);
  const labels = plainView(bytes, 8);
  const wrong = labels.findIndex((label) => label >= classes);
  if (wrong !== -1) {
    const label = `the label ${labels[wrong] ?? ''} at sample ${wrong}`;
    throw damaged(origin, `has ${label}, but labels go from 0 to ${classes - 1}`);
  }
  return labels;
}

function readHeader(
  bytes: Uint8Array,
  origin: FileOrigin,
  magic: number,
  content: string,
): DataView {
  const headerBytes = magic === IMAGES_MAGIC ? 16 : 8;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = bytes.length < 4 ? undefined : view.getUint32(0);
  if (found !== undefined && found !== magic) {
    const problem = `it begins with ${hex(found)} instead of ${hex(magic)}`;
    throw damaged(origin, `is not an IDX file of ${content}: ${problem}`);
  }
  if (bytes.length < headerBytes) {
    const problem = `it ends after ${bytes.length} of the header's ${headerBytes} bytes`;
    throw damaged(origin, `is truncated: ${problem}`);
  }
  return view;
}

function checkSize(bytes: Uint8Array, expected: number, origin: FileOrigin, content: string) {
  if (bytes.length === expected) return;
  const problem = bytes.length < expected ? 'is truncated' : 'has trailing bytes';
  const sizes = `${content} make ${expected} bytes, but it has ${bytes.length}`;
  throw damaged(origin, `${problem}: ${sizes}`);
}

/** Never a Buffer, whose slice() shares memory where Uint8Array's copies. */
function plainView(bytes: Uint8Array, from: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, bytes.byteLength - from);
}

function hex(magic: number): string {
  return `0x${magic.toString(16).padStart(8, '0')}`;
}
