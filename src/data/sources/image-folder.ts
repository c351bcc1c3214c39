import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { DtrainError } from '../../errors.js';
import { decodeImage, type ImageSize, sizeOfImage } from '../images/decode.js';
import type { Block, Source, SplitReader } from './source.js';

const IMAGE = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;
const TEST_FOLDERS = ['test', 'testing', 'val', 'valid', 'validation'];
const TRAIN_FOLDERS = ['train', 'training'];

/** Images that are decoded at once. */
const AT_ONCE = 16;
const BLOCK = 256;

interface ImageFile {
  readonly file: string;
  readonly label: string;
}

/**
 * Images in a folder for each class, whose name is the class's; or two such trees, in `train` and
 * `test`. Undefined if the folder has no images in folders.
 * @param imageSize what all images are decoded to; null: the size of the first
 * @throws DtrainError DATA_DAMAGED
 */
export async function imageFolderSource(
  folder: string,
  imageSize: ImageSize | null,
): Promise<Source | undefined> {
  const below = await foldersIn(folder);
  const find = (names: readonly string[]): string | undefined =>
    below.find((name) => names.includes(name.toLowerCase()));
  const [train, test] = [find(TRAIN_FOLDERS), find(TEST_FOLDERS)];
  const split = train !== undefined;
  const files = await imagesIn(path.join(folder, train ?? ''));
  const [first] = files;
  if (!first) return undefined;
  const tested = split && test !== undefined ? await imagesIn(path.join(folder, test)) : [];
  const size = imageSize ?? (await sizeOfImage(first.file));
  return {
    name: path.basename(path.resolve(folder)),
    origin: `the images in ${folder}`,
    shape: [size.rows, size.columns, size.channels],
    inputType: 'uint8',
    train: readImages(files, size),
    ...(tested.length > 0 && { test: readImages(tested, size) }),
  };
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  return folders.map(({ name }) => name).sort();
}

/** The images of a tree, class after class, each in the order of their names. */
async function imagesIn(folder: string): Promise<ImageFile[]> {
  const found: ImageFile[] = [];
  for (const label of await foldersIn(folder)) {
    const names = await readdir(path.join(folder, label), { recursive: true });
    for (const name of names.filter((one) => IMAGE.test(one)).sort()) {
      found.push({ file: path.join(folder, label, name), label });
    }
  }
  return found;
}

function readImages(files: readonly ImageFile[], size: ImageSize): SplitReader {
  const bytes = size.rows * size.columns * size.channels;
  return async function* (bad): AsyncGenerator<Block> {
    for (let first = 0; first < files.length; first += BLOCK) {
      const good: ImageFile[] = [];
      const values = new Uint8Array(BLOCK * bytes);
      const decoded = await decodeAll(files.slice(first, first + BLOCK), size);
      for (const { image, result } of decoded) {
        if (result instanceof DtrainError) bad.failed(result);
        else values.set(result, (good.push(image) - 1) * bytes);
      }
      yield {
        values: values.subarray(0, good.length * bytes),
        labels: good.map(({ label }) => label),
        place: (index) => good[index]?.file ?? '',
      };
    }
  };
}

interface Decoded {
  readonly image: ImageFile;
  readonly result: Uint8Array | DtrainError;
}

async function decodeAll(images: readonly ImageFile[], size: ImageSize): Promise<Decoded[]> {
  const decoded: Decoded[] = [];
  for (let first = 0; first < images.length; first += AT_ONCE) {
    const some = images.slice(first, first + AT_ONCE).map(async (image) => ({
      image,
      result: await decodeImage(image.file, size).catch((error: unknown) => {
        if (error instanceof DtrainError) return error;
        throw error;
      }),
    }));
    decoded.push(...(await Promise.all(some)));
  }
  return decoded;
}
