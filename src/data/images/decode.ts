import { readFile } from 'node:fs/promises';
import type { Sharp } from 'sharp';
import { diskReason, DtrainError, reasonOf } from '../../errors.js';

/** The size that an image is decoded to; one channel is grey, three are red, green and blue. */
export interface ImageSize {
  readonly rows: number;
  readonly columns: number;
  readonly channels: 1 | 3;
}

/** The size that images are brought to for samples of a shape; null if none are of that shape. */
export function imageSizeOf([rows, columns, channels]: readonly number[]): ImageSize | null {
  const colours = channels === 1 || channels === 3 ? channels : undefined;
  if (rows === undefined || columns === undefined || colours === undefined) return null;
  return { rows, columns, channels: colours };
}

/** An image in a file, or the bytes of such a file with a name for messages. */
export type ImageSource = string | { readonly name: string; readonly bytes: Uint8Array };

/** Pixels of the largest image that is decoded: what is larger is rather an attack. */
const MOST_PIXELS = 100e6;

/**
 * Decodes an image (JPEG, PNG, WebP, GIF, TIFF) to bytes of [rows][columns][channels]: turned as
 * its EXIF data says, transparent parts on white, stretched to the size if it has another one.
 * @throws DtrainError DATA_DAMAGED if it cannot be read or is no such image
 */
export async function decodeImage(source: ImageSource, size: ImageSize): Promise<Uint8Array> {
  const { rows, columns, channels } = size;
  return withImage(source, async (image) => {
    const scaled = image
      .flatten({ background: 'white' })
      .resize(columns, rows, { fit: 'fill', kernel: 'linear' });
    const coloured =
      channels === 1 ? scaled.greyscale().toColourspace('b-w') : scaled.toColourspace('srgb');
    const { data } = await coloured.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  });
}

/**
 * The size that an image has by itself.
 * @throws DtrainError DATA_DAMAGED, likewise
 */
export async function sizeOfImage(source: ImageSource): Promise<ImageSize> {
  return withImage(source, async (image) => {
    const { autoOrient, space } = await image.metadata();
    const channels = space === 'b-w' || space === 'grey16' ? 1 : 3;
    return { rows: autoOrient.height, columns: autoOrient.width, channels };
  });
}

async function withImage<T>(source: ImageSource, use: (image: Sharp) => Promise<T>): Promise<T> {
  // Only who has images waits for the library.
  const { default: sharp } = await import('sharp');
  const { name, bytes } = typeof source === 'string' ? await read(source) : source;
  try {
    return await use(sharp(bytes, { autoOrient: true, limitInputPixels: MOST_PIXELS }));
  } catch (cause) {
    const [reason = ''] = reasonOf(cause).replace('Input buffer', 'it').split('\n', 1);
    throw undecodable(name, reason.replace(/\.$/, ''), cause);
  }
}

async function read(file: string): Promise<{ name: string; bytes: Uint8Array }> {
  try {
    return { name: file, bytes: await readFile(file) };
  } catch (cause) {
    throw undecodable(file, diskReason(cause), cause);
  }
}

function undecodable(name: string, reason: string, cause: unknown): DtrainError {
  return new DtrainError('DATA_DAMAGED', `${name} cannot be read as an image: ${reason}.`, {
    cause,
  });
}
