import { decodeImage, type ImageSize, sizeOfImage } from '../data/images/decode.js';
import { centred, type Grey, inkBox, inverted, isOnLight, stretched } from './ink.js';

/** What a model's training images are like. */
export interface TrainingImages {
  readonly size: ImageSize;
  /** The background of grey ones; undefined if they have none that is light or dark throughout. */
  readonly background: 'dark' | 'light' | undefined;
  /** Digits as MNIST has them: 20 pixels long, their centre of mass in the middle. */
  readonly digits: boolean;
}

/** An image as the model takes it, and what that took. */
export interface PreparedImage {
  readonly bytes: Uint8Array;
  /** Dark and light are exchanged. */
  readonly inverted: boolean;
  /** Cut out, scaled and centred as MNIST's digits are. */
  readonly centred: boolean;
}

/** The longer side of a digit of MNIST, in pixels. */
const DIGIT = 20;
/** The longer side of an image in which a digit is looked for, in pixels. */
const SEARCHED = 256;

/**
 * Reads an image file as the model was trained on images.
 * @throws DtrainError DATA_DAMAGED if it is no image
 */
export async function prepareImage(
  file: string,
  { size, background, digits }: TrainingImages,
): Promise<PreparedImage> {
  const own = await sizeOfImage(file);
  const fits = own.rows === size.rows && own.columns === size.columns;
  if (digits && !fits) return prepareDigit(file, own, size);
  const bytes = await decodeImage(file, size);
  const light = background !== undefined && isOnLight({ ...size, bytes });
  const other = light !== (background === 'light') && background !== undefined;
  return { bytes: other ? inverted(bytes) : bytes, inverted: other, centred: false };
}

async function prepareDigit(file: string, own: ImageSize, size: ImageSize): Promise<PreparedImage> {
  const scaled = async (factor: number): Promise<Grey> => {
    const rows = Math.max(1, Math.round(own.rows * factor));
    const columns = Math.max(1, Math.round(own.columns * factor));
    return { rows, columns, bytes: await decodeImage(file, { rows, columns, channels: 1 }) };
  };
  const search = Math.min(1, SEARCHED / Math.max(own.rows, own.columns));
  const first = await scaled(search);
  const light = isOnLight(first);
  const onDark = (image: Grey): Grey =>
    stretched(light ? { ...image, bytes: inverted(image.bytes) } : image);
  const box = inkBox(onDark(first));
  if (!box) {
    return { bytes: new Uint8Array(size.rows * size.columns), inverted: light, centred: false };
  }
  const side = Math.max(box.bottom - box.top, box.right - box.left);
  const digit = onDark(await scaled((search * DIGIT) / side));
  return { bytes: centred(digit, size.rows, size.columns), inverted: light, centred: true };
}
