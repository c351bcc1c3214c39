import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { DtrainError } from '../../errors.js';
import { type ArrayFile, type ArrayPair, arraySource } from './arrays.js';
import { after, bytesOf, headOf } from './byte-stream.js';
import { damagedFile, type Source } from './source.js';

/** `train-images-idx3-ubyte.gz`, `emnist-letters-test-labels-idx1-ubyte`, `t10k-images.idx3-ubyte`. */
const NAME = /^(.*?)-?(train|t10k|test)-(images|labels)[-.]idx\d-ubyte(\.gz)?$/;

type Role = 'train-images' | 'train-labels' | 'test-images' | 'test-labels';

/** The IDX files of a folder, by what precedes `train` in their names: empty for most. */
export async function findIdx(folder: string): Promise<Map<string, Map<Role, string>>> {
  const sets = new Map<string, Map<Role, string>>();
  for (const name of (await readdir(folder)).sort()) {
    const [, prefix = '', split, content] = NAME.exec(name) ?? [];
    if (split === undefined || content === undefined) continue;
    const role = `${split === 'train' ? 'train' : 'test'}-${content}` as Role;
    const files = sets.get(prefix) ?? new Map<Role, string>();
    sets.set(prefix, files);
    if (!files.has(role)) files.set(role, path.join(folder, name));
  }
  return sets;
}

/**
 * The data set of a folder's IDX files.
 * @throws DtrainError DATA_MISSING if a file is not there, DATA_DAMAGED for one that is not IDX
 */
export async function idxSource(
  folder: string,
  prefix: string,
  files: Map<Role, string>,
): Promise<Source> {
  const train = await pairOf(folder, files, 'train');
  if (!train) {
    const message = `${folder} has IDX files but no training images: they are called train-images-idx3-ubyte or so.`;
    throw new DtrainError('DATA_MISSING', message);
  }
  const name = prefix === '' ? path.basename(path.resolve(folder)) : prefix;
  return arraySource(
    name,
    `the IDX files in ${folder}`,
    train,
    await pairOf(folder, files, 'test'),
  );
}

async function pairOf(
  folder: string,
  files: Map<Role, string>,
  split: 'train' | 'test',
): Promise<ArrayPair | undefined> {
  const [images, labels] = [files.get(`${split}-images`), files.get(`${split}-labels`)];
  if (images === undefined && labels === undefined) return undefined;
  if (images === undefined || labels === undefined) {
    const lacking = images === undefined ? 'images' : 'labels';
    const message = `${folder} lacks the ${lacking} of the ${split}ing samples.`.replace(
      'trainingsamples',
      'training samples',
    );
    throw new DtrainError('DATA_MISSING', message);
  }
  return { samples: await openIdx(images), labels: await openIdx(labels) };
}

/** An IDX file: two zeros, the type (8: unsigned bytes), the dimensions and their extents. */
async function openIdx(file: string): Promise<ArrayFile> {
  const head = await headOf(bytesOf(file), 4 + 4 * 255);
  const [first, second, type, dimensions = 0] = head;
  if (first !== 0 || second !== 0 || type !== 8 || dimensions < 1) {
    throw damagedFile(file, 'is not an IDX file of unsigned bytes');
  }
  const start = 4 + 4 * dimensions;
  if (head.length < start) throw damagedFile(file, 'is truncated: it ends within its header');
  const view = new DataView(head.buffer, head.byteOffset);
  const shape = Array.from({ length: dimensions }, (_, axis) => view.getUint32(4 + 4 * axis));
  return {
    file,
    shape,
    size: 1,
    decode: (bytes) => bytes,
    content: () => after(bytesOf(file), start),
  };
}
