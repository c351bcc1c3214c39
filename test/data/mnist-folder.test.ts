import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, expect, it } from 'vitest';
import { loadCachedFile, loadMnistFolder } from '../../src/data/mnist-folder.js';
import {
  dtrainError,
  idxImages,
  idxLabels,
  smallMnist,
  sumOf,
  temporaryFolder,
  writeFiles,
  zipped,
} from './helpers.js';

const { table, files } = smallMnist();
const { trainImages, trainLabels, testImages } = table;

let dir: string;

beforeEach(async () => {
  dir = await temporaryFolder();
});

it('loads the four files with their samples, labels and sums', async () => {
  await writeFiles(dir, files);
  const data = await loadMnistFolder(dir, table);
  expect(data).toMatchObject({
    name: 'mnist',
    origin: 'folder',
    source: `the folder ${dir}`,
    complete: true,
    shape: [28, 28, 1],
    classes: 10,
  });
  expect(data.note).toBeUndefined();
  expect([data.train.count, data.test.count]).toEqual([60, 20]);
  expect(data.train.images).toEqual(new Uint8Array(files.get(trainImages.name) ?? []).slice(16));
  expect(data.test.images).toEqual(new Uint8Array(files.get(testImages.name) ?? []).slice(16));
  expect(data.train.labels).toEqual(Uint8Array.from({ length: 60 }, (_, index) => index % 10));
  expect(data.test.labels).toEqual(Uint8Array.from({ length: 20 }, (_, index) => index % 10));
  expect(data.files).toEqual(
    Object.values(table).map(({ name, sha256 }) => ({ name, sha256, path: join(dir, name) })),
  );
});

it('loads the same from packed files and from files with a dot in their names', async () => {
  await writeFiles(dir, files);
  const { train, test } = await loadMnistFolder(dir, table);
  const packed = await temporaryFolder();
  await writeFiles(packed, zipped(files));
  expect(await loadMnistFolder(packed, table)).toMatchObject({ train, test });
  for (const name of await readdir(packed)) {
    await rename(join(packed, name), join(packed, name.replace('-idx', '.idx')));
  }
  expect(await loadMnistFolder(packed, table)).toMatchObject({ train, test });
});

it('names the folder that does not exist or is none, and the files it should hold', async () => {
  const missing = join(dir, 'missing');
  const expected = [...files.keys(), '--data-dir'];
  await expect(loadMnistFolder(missing, table)).rejects.toEqual(
    dtrainError('DATA_MISSING', `${missing} does not exist`, ...expected),
  );
  await writeFile(missing, '');
  await expect(loadMnistFolder(missing, table)).rejects.toEqual(
    dtrainError('DATA_MISSING', `${missing} is no folder`, ...expected),
  );
});

it('names each file that is missing, also if a folder has its name', async () => {
  await writeFiles(dir, zipped(files));
  await rm(join(dir, `${trainLabels.name}.gz`));
  await rm(join(dir, `${testImages.name}.gz`));
  await mkdir(join(dir, testImages.name));
  await expect(loadMnistFolder(dir, table)).rejects.toEqual(
    dtrainError(
      'DATA_MISSING',
      `${dir} lacks ${trainLabels.name}, ${testImages.name};`,
      ...files.keys(),
      '--data-dir',
    ),
  );
});

it('names a file with another sum, and both sums', async () => {
  const wrong = idxLabels(Array.from({ length: 60 }, () => 3));
  await writeFiles(dir, new Map([...files, [trainLabels.name, wrong]]));
  await expect(loadMnistFolder(dir, table)).rejects.toEqual(
    dtrainError(
      'DATA_DAMAGED',
      join(dir, trainLabels.name),
      sumOf(wrong).slice(0, 12),
      trainLabels.sha256.slice(0, 12),
      'replace it',
    ),
  );
});

it('names a packed file that is damaged', async () => {
  const packed = gzipSync(files.get(testImages.name) ?? new Uint8Array());
  const path = join(dir, `${testImages.name}.gz`);
  await writeFiles(dir, zipped(files));
  await writeFile(path, packed.subarray(0, 500));
  await expect(loadMnistFolder(dir, table)).rejects.toEqual(
    dtrainError('DATA_DAMAGED', path, 'gzip', 'replace it'),
  );
});

it.each([
  ['images of another size', trainImages.name, idxImages(60, 28, 29)],
  ['fewer images', trainImages.name, idxImages(59, 28, 28)],
  ['fewer labels', trainLabels.name, idxLabels(Array.from({ length: 59 }, () => 0))],
  ['a label above 9', trainLabels.name, idxLabels(Array.from({ length: 60 }, () => 10))],
])('refuses a file with the right sum but %s', async (_, name, bytes) => {
  await writeFiles(dir, new Map([...files, [name, bytes]]));
  const trusting = Object.fromEntries(
    Object.entries(table).map(([role, file]) => [
      role,
      file.name === name ? { ...file, sha256: sumOf(bytes) } : file,
    ]),
  ) as unknown as typeof table;
  await expect(loadMnistFolder(dir, trusting)).rejects.toEqual(
    dtrainError('DATA_DAMAGED', join(dir, name)),
  );
});

it('finds a cached file, and says nothing', async () => {
  await writeFiles(dir, zipped(files));
  const notices: string[] = [];
  const found = await loadCachedFile(dir, trainLabels, (notice) => notices.push(notice));
  expect(found?.path).toBe(join(dir, `${trainLabels.name}.gz`));
  expect(sumOf(found?.content ?? new Uint8Array())).toBe(trainLabels.sha256);
  expect(notices).toEqual([]);
});

it('has no cached file in an empty or missing folder', async () => {
  for (const folder of [dir, join(dir, 'missing')]) {
    expect(await loadCachedFile(folder, trainLabels, () => undefined)).toBeUndefined();
  }
});

it('reports and removes a damaged cached file, and takes another one if there is', async () => {
  const notices: string[] = [];
  const load = () => loadCachedFile(dir, trainLabels, (notice) => notices.push(notice));
  await writeFiles(dir, zipped(files));
  await writeFile(join(dir, trainLabels.name), 'damaged');
  expect((await load())?.path).toBe(join(dir, `${trainLabels.name}.gz`));
  expect(notices).toEqual([expect.stringContaining(`${join(dir, trainLabels.name)} is not MNIST`)]);
  expect(await readdir(dir)).not.toContain(trainLabels.name);

  await writeFile(join(dir, `${trainLabels.name}.gz`), gzipSync('damaged'));
  expect(await load()).toBeUndefined();
  expect(notices).toHaveLength(2);
  expect(notices[1]).toMatch(/removed from the cache and fetched again\.$/);
  expect(await readdir(dir)).not.toContain(`${trainLabels.name}.gz`);
});

it('reports a cached file that cannot be read, and leaves it', async () => {
  await mkdir(join(dir, trainLabels.name));
  const notices: string[] = [];
  await loadCachedFile(dir, trainLabels, (notice) => notices.push(notice));
  expect(notices).toEqual([expect.stringContaining('cannot be read (EISDIR)')]);
  expect(await readdir(dir)).toEqual([trainLabels.name]);
});
