import type { MemoryDataset, MemorySplit } from './dataset.js';
import { MNIST_NORMALISATION } from './normalise.js';
import { damaged, parseImages, parseLabels, uncompressed, type FileOrigin } from './idx.js';
import { sha256 } from '../sha256.js';

/** Rows and columns of an MNIST image. */
export const MNIST_SIDE = 28;
export const MNIST_CLASSES = 10;

/** One of the four files of MNIST. */
export interface MnistFile {
  /** Without `.gz`. */
  readonly name: string;
  readonly content: 'images' | 'labels';
  /** Samples in it. */
  readonly count: number;
  /** Of the uncompressed content. */
  readonly sha256: string;
}

type Role = 'trainImages' | 'trainLabels' | 'testImages' | 'testLabels';
export type MnistTable = Readonly<Record<Role, MnistFile>>;

/** The full MNIST. */
export const MNIST_FILES: MnistTable = {
  trainImages: {
    name: 'train-images-idx3-ubyte',
    content: 'images',
    count: 60_000,
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte',
    content: 'labels',
    count: 60_000,
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  },
  testImages: {
    name: 't10k-images-idx3-ubyte',
    content: 'images',
    count: 10_000,
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte',
    content: 'labels',
    count: 10_000,
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
};

/** A file whose sum has been checked. */
export interface CheckedFile {
  readonly file: MnistFile;
  /** Uncompressed. */
  readonly content: Uint8Array;
  /** Absent if the file could not be kept on disk. */
  readonly path?: string;
}

/**
 * The uncompressed content of `raw` (plain or gzip).
 * Throws DATA_DAMAGED if its SHA-256 is not the expected one.
 */
export async function checkFile(
  raw: Uint8Array,
  file: MnistFile,
  origin: FileOrigin,
): Promise<Uint8Array> {
  const size = file.content === 'images' ? 16 + file.count * MNIST_SIDE ** 2 : 8 + file.count;
  const content = await uncompressed(raw, origin, size);
  const found = sha256(content);
  if (found !== file.sha256) {
    const sums = `has the SHA-256 ${short(found)} instead of ${short(file.sha256)}`;
    throw damaged(origin, `is not MNIST's ${file.name}: it ${sums}`);
  }
  return content;
}

/** Loads the four files one after another. */
export async function loadEach(
  table: MnistTable,
  load: (file: MnistFile) => Promise<CheckedFile>,
): Promise<Record<Role, CheckedFile>> {
  return {
    trainImages: await load(table.trainImages),
    trainLabels: await load(table.trainLabels),
    testImages: await load(table.testImages),
    testLabels: await load(table.testLabels),
  };
}

/** MNIST from its four files. Throws DATA_DAMAGED if one of them does not hold what it should. */
export function assembleMnist(
  loaded: Record<Role, CheckedFile>,
  origin: MemoryDataset['origin'],
  source: string,
): MemoryDataset {
  return {
    name: 'mnist',
    origin,
    source,
    complete: true,
    shape: [MNIST_SIDE, MNIST_SIDE, 1],
    inputType: 'uint8',
    classes: MNIST_CLASSES,
    skipped: 0,
    heldOut: false,
    normalisation: MNIST_NORMALISATION,
    train: assembleSplit(loaded.trainImages, loaded.trainLabels),
    test: assembleSplit(loaded.testImages, loaded.testLabels),
    files: Object.values(loaded).map(({ file: { name, sha256 }, path }) =>
      path === undefined ? { name, sha256 } : { name, sha256, path },
    ),
  };
}

function assembleSplit(imageFile: CheckedFile, labelFile: CheckedFile): MemorySplit {
  const [from, labelsFrom] = [originOf(imageFile), originOf(labelFile)];
  const { count, rows, columns, pixels } = parseImages(imageFile.content, from);
  if (rows !== MNIST_SIDE || columns !== MNIST_SIDE) {
    throw damaged(from, `has images of ${rows}x${columns} instead of ${MNIST_SIDE}x${MNIST_SIDE}`);
  }
  checkCount(count, imageFile, from);
  const labels = parseLabels(labelFile.content, labelsFrom, MNIST_CLASSES);
  checkCount(labels.length, labelFile, labelsFrom);
  return { count, images: pixels, labels };
}

function checkCount(found: number, { file }: CheckedFile, origin: FileOrigin) {
  if (found !== file.count) {
    throw damaged(origin, `has ${found} samples instead of ${file.count}`);
  }
}

function originOf({ file, path }: CheckedFile): FileOrigin {
  return { path: path ?? file.name, advice: 'replace it with a good copy' };
}

function short(sum: string): string {
  return sum.slice(0, 12);
}
