import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { diskReason, DtrainError } from '../../errors.js';
import type { ImageSize } from '../images/decode.js';
import { csvSource } from './csv.js';
import { findIdx, idxSource } from './idx-files.js';
import { imageFolderSource } from './image-folder.js';
import { hasNpy, npyFolderSource, npzSource } from './numpy-files.js';
import { parquetSource } from './parquet.js';
import type { Source } from './source.js';

export interface SourceOptions {
  /** The column of labels of a table, by name or by place from 0; null if it can be told. */
  readonly label: string | null;
  /** What images are decoded to; null: the size of the first. */
  readonly imageSize: ImageSize | null;
}

/** What a data set may be, for messages. */
const KINDS =
  'IDX files, images in a folder for each class, x_train.npy and y_train.npy, or train.csv or train.parquet';

/**
 * The data set at a path.
 * @throws DtrainError DATA_MISSING if there is none, DATA_DAMAGED, USAGE
 */
export async function findSource(place: string, options: SourceOptions): Promise<Source> {
  const there = await stat(place).catch(() => undefined);
  if (!there) return idxSet(place);
  if (there.isDirectory()) {
    try {
      return await folderSource(place, options);
    } catch (cause) {
      if (cause instanceof DtrainError) throw cause;
      const message = `${place} cannot be read: ${diskReason(cause)}.`;
      throw new DtrainError('DATA_MISSING', message, { cause });
    }
  }
  if (/\.(csv|tsv)(\.gz)?$/i.test(place)) return csvSource(place, undefined, options.label);
  if (/\.npz$/i.test(place)) return npzSource(place);
  if (/\.parquet$/i.test(place)) return parquetSource(place, undefined, options);
  throw new DtrainError(
    'DATA_MISSING',
    `${place} is no data set: a file has to be .csv, .tsv, .npz or .parquet, and a folder has to hold ${KINDS}.`,
  );
}

/** One of several sets of IDX files in a folder, named by what precedes `train` in their names. */
async function idxSet(place: string): Promise<Source> {
  const folder = path.dirname(place);
  const prefix = path.basename(place);
  const files = (await findIdx(folder).catch(() => undefined))?.get(prefix);
  if (files) return idxSource(folder, prefix, files);
  const message = `There is no data at ${place}: give --data a file, a folder, or mnist.`;
  throw new DtrainError('DATA_MISSING', message);
}

async function folderSource(folder: string, options: SourceOptions): Promise<Source> {
  const sets = [...(await findIdx(folder))];
  const [[prefix, files] = ['', undefined]] = sets;
  if (sets.length > 1) {
    const example = path.join(folder, prefix);
    const message = `${folder} holds ${sets.length} data sets: name one of them, such as --data ${example}.`;
    throw new DtrainError('DATA_MISSING', message);
  }
  if (files) return idxSource(folder, prefix, files);
  if (await hasNpy(folder)) return npyFolderSource(folder);
  const present = await readdir(folder);
  const file = (pattern: RegExp): string | undefined => {
    const name = present.find((one) => pattern.test(one));
    return name === undefined ? undefined : path.join(folder, name);
  };
  const csv = file(/^train\.(csv|tsv)(\.gz)?$/i);
  if (csv !== undefined) return csvSource(csv, file(/^test\.(csv|tsv)(\.gz)?$/i), options.label);
  const parquet = file(/^train.*\.parquet$/i);
  if (parquet !== undefined) return parquetSource(parquet, file(/^test.*\.parquet$/i), options);
  const images = await imageFolderSource(folder, options.imageSize);
  if (images) return images;
  throw new DtrainError('DATA_MISSING', `${folder} holds no data set: it has to hold ${KINDS}.`);
}
