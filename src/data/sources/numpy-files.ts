import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Readable } from 'node:stream';
import { type Entry, open as openZip, type Options, type ZipFile } from 'yauzl';
import { DtrainError, reasonOf } from '../../errors.js';
import { type ArrayPair, arraySource } from './arrays.js';
import { bytesOf } from './byte-stream.js';
import { openNpy } from './npy.js';
import { damagedFile, type Source } from './source.js';

/** The arrays of a data set: names that are in use for each. */
const names = {
  trainSamples: ['x_train', 'train_images', 'x'],
  trainLabels: ['y_train', 'train_labels', 'y'],
  testSamples: ['x_test', 'test_images'],
  testLabels: ['y_test', 'test_labels'],
} as const;

/** Opens an array that has a name. */
type Arrays = ReadonlyMap<string, { file: string; open: () => AsyncIterable<Uint8Array> }>;

/**
 * A file of `numpy.savez`, with the arrays' names as Keras has them.
 * @throws DtrainError DATA_DAMAGED, DATA_MISSING
 */
export async function npzSource(file: string): Promise<Source> {
  const entries = await listZip(file);
  const arrays = new Map(
    entries
      .filter((entry) => entry.endsWith('.npy'))
      .map((entry) => {
        const open = (): AsyncIterable<Uint8Array> => readEntry(file, entry);
        return [path.basename(entry, '.npy').toLowerCase(), { file: `${file}, ${entry}`, open }];
      }),
  );
  return sourceOf(path.basename(file, '.npz'), `the NumPy file ${file}`, file, arrays);
}

/** Whether a folder holds such arrays as files of their own. */
export async function hasNpy(folder: string): Promise<boolean> {
  const present = await readdir(folder);
  return present.some((name) => names.trainSamples.some((known) => `${known}.npy` === name));
}

/** The same arrays, each in a file of its own. */
export async function npyFolderSource(folder: string): Promise<Source> {
  const arrays = new Map(
    (await readdir(folder))
      .filter((name) => name.endsWith('.npy'))
      .map((name) => {
        const file = path.join(folder, name);
        return [path.basename(name, '.npy').toLowerCase(), { file, open: () => bytesOf(file) }];
      }),
  );
  const name = path.basename(path.resolve(folder));
  return sourceOf(name, `the NumPy files in ${folder}`, folder, arrays);
}

async function sourceOf(
  name: string,
  origin: string,
  place: string,
  arrays: Arrays,
): Promise<Source> {
  const pair = async (
    samples: readonly string[],
    labels: readonly string[],
  ): Promise<ArrayPair | undefined> => {
    const found = [samples, labels].map((known) => known.find((one) => arrays.has(one)));
    const [one, other] = found.map((known) => arrays.get(known ?? ''));
    if (!one && !other) return undefined;
    if (!one || !other) {
      const lacking = (one ? labels : samples).join(' or ');
      throw new DtrainError('DATA_MISSING', `${place} lacks the array ${lacking}.`);
    }
    return {
      samples: await openNpy(one.file, one.open),
      labels: await openNpy(other.file, other.open),
    };
  };
  const train = await pair(names.trainSamples, names.trainLabels);
  if (!train) {
    const there = [...arrays.keys()].join(', ');
    const message = `${place} has no arrays x_train and y_train, but ${there || 'none at all'}: name them so.`;
    throw new DtrainError('DATA_MISSING', message);
  }
  const test = await pair(names.testSamples, names.testLabels);
  return arraySource(name, origin, train, test);
}

const unzip = promisify<string, Options, ZipFile>(openZip);

async function openArchive(file: string): Promise<ZipFile> {
  try {
    return await unzip(file, { lazyEntries: true, autoClose: false });
  } catch (cause) {
    throw damagedFile(file, `is not a file of numpy.savez (${reasonOf(cause)})`, cause);
  }
}

async function* entriesOf(archive: ZipFile, file: string): AsyncGenerator<Entry> {
  for (let left = archive.entryCount; left > 0; left--) {
    const entry = new Promise<Entry>((resolve, reject) => {
      archive.once('entry', resolve);
      archive.once('error', reject);
    });
    archive.readEntry();
    try {
      yield await entry;
    } catch (cause) {
      throw damagedFile(file, `is damaged (${reasonOf(cause)})`, cause);
    }
  }
}

async function listZip(file: string): Promise<string[]> {
  const archive = await openArchive(file);
  try {
    const found: string[] = [];
    for await (const { fileName } of entriesOf(archive, file)) found.push(fileName);
    return found;
  } finally {
    archive.close();
  }
}

async function* readEntry(file: string, name: string): AsyncGenerator<Uint8Array> {
  const archive = await openArchive(file);
  try {
    for await (const entry of entriesOf(archive, file)) {
      if (entry.fileName !== name) continue;
      const openEntry = promisify<Entry, Readable>(archive.openReadStream.bind(archive));
      yield* (await openEntry(entry)) as AsyncIterable<Uint8Array>;
      return;
    }
  } catch (cause) {
    if (cause instanceof DtrainError) throw cause;
    throw damagedFile(`${file}, ${name},`, `is damaged (${reasonOf(cause)})`, cause);
  } finally {
    archive.close();
  }
}
