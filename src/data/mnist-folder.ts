import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DtrainError, systemCode } from '../errors.js';
import type { MemoryDataset } from './dataset.js';
import {
  assembleMnist,
  checkFile,
  loadEach,
  type CheckedFile,
  type MnistFile,
  type MnistTable,
} from './mnist-files.js';

const LET_DTRAIN_FETCH = 'leave out --data-dir to let dtrain fetch it';

/**
 * MNIST from the four files in `dir`, each plain or `.gz`, with `-idx` or `.idx` in its name.
 * Throws DATA_MISSING if the folder or a file is not there, DATA_DAMAGED if a sum is wrong.
 */
export async function loadMnistFolder(dir: string, table: MnistTable): Promise<MemoryDataset> {
  const folder = resolve(dir);
  const present = await list(folder, table);
  const missing = Object.values(table).filter(
    (file) => pathsOf(file, folder, present).length === 0,
  );
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    throw new DtrainError('DATA_MISSING', `The folder ${folder} lacks ${names}; ${advise(table)}.`);
  }
  const loaded = await loadEach(table, async (file) => {
    const [path = join(folder, file.name)] = pathsOf(file, folder, present);
    const advice = `replace it with a good copy, or ${LET_DTRAIN_FETCH}`;
    return { file, path, content: await checkFile(await read(path), file, { path, advice }) };
  });
  return assembleMnist(loaded, 'folder', `the folder ${folder}`);
}

/**
 * One file of MNIST from the cache folder `dir`, or undefined if it is not there.
 * A damaged one is reported through `onNotice`, removed, and counts as not there.
 */
export async function loadCachedFile(
  dir: string,
  file: MnistFile,
  onNotice: (sentence: string) => void,
): Promise<CheckedFile | undefined> {
  const present = await readdir(dir).catch(() => []);
  for (const path of pathsOf(file, dir, present)) {
    try {
      const advice = 'it is removed from the cache and fetched again';
      return { file, path, content: await checkFile(await readFile(path), file, { path, advice }) };
    } catch (error) {
      if (error instanceof DtrainError) {
        onNotice(error.message);
        // A file that cannot be removed is replaced by the download, or read over again next time.
        await rm(path, { force: true }).catch(() => undefined);
      } else {
        onNotice(`The cached file ${path} cannot be read (${reasonOf(error)}).`);
      }
    }
  }
  return undefined;
}

/** The paths in `folder`, of the names `present` there, that may hold `file`; best first. */
function pathsOf({ name }: MnistFile, folder: string, present: readonly string[]): string[] {
  const dotted = name.replace('-idx', '.idx');
  return [name, `${name}.gz`, dotted, `${dotted}.gz`]
    .filter((candidate) => present.includes(candidate))
    .map((candidate) => join(folder, candidate));
}

async function list(folder: string, table: MnistTable): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    const problems: Record<string, string> = { ENOENT: 'does not exist', ENOTDIR: 'is no folder' };
    const problem = problems[systemCode(error) ?? ''] ?? `cannot be read (${reasonOf(error)})`;
    const message = `The data folder ${folder} ${problem}; ${advise(table)}.`;
    throw new DtrainError('DATA_MISSING', message, { cause: error });
  }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const message = `${path} cannot be read (${reasonOf(error)}); make it readable, or ${LET_DTRAIN_FETCH}.`;
    throw new DtrainError('DATA_MISSING', message, { cause: error });
  }
}

function advise(table: MnistTable): string {
  return `MNIST needs ${nameFiles(table)} there; ${LET_DTRAIN_FETCH}`;
}

/** The expected files, for a message. */
export function nameFiles(table: MnistTable): string {
  const names = Object.values(table).map(({ name }) => name);
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''} (plain or .gz)`;
}

function reasonOf(error: unknown): string {
  return systemCode(error) ?? String(error);
}
