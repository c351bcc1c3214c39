import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import {
  PartFile,
  readLargestPart,
  removeIdleParts,
  removePart,
  type PartKey,
} from '../../src/data/part-file.js';
import { noise, temporaryFolder } from './helpers.js';

let key: PartKey;

beforeEach(async () => {
  key = { dir: join(await temporaryFolder(), 'cache'), name: 'file.gz', url: 'http://a/file.gz' };
});

async function partWith(bytes: Uint8Array, of = key): Promise<PartFile> {
  const part = await PartFile.create(of);
  await part.append(bytes);
  return part;
}

it('is nowhere to be seen under the finished name until it is published', async () => {
  const part = await partWith(noise(10));
  await part.append(noise(20));
  expect((await readdir(key.dir))[0]).toMatch(/^file\.gz\.part-/);
  expect(await part.publish()).toBeUndefined();
  expect(await readdir(key.dir)).toEqual(['file.gz']);
  expect(await readFile(join(key.dir, 'file.gz'))).toEqual(Buffer.concat([noise(10), noise(20)]));
});

it('is found again if it was kept, the largest of its place first', async () => {
  expect(await readLargestPart(key)).toBeUndefined();
  await (await partWith(noise(10))).keep();
  await (await partWith(noise(30))).keep();
  await (await partWith(noise(20))).keep();
  const largest = await readLargestPart(key);
  expect(largest?.bytes).toEqual(Buffer.from(noise(30)));
  if (largest) await removePart(largest);
  expect((await readLargestPart(key))?.bytes).toEqual(Buffer.from(noise(20)));
});

it('is not mixed up with a part from another place or of another file', async () => {
  await (await partWith(noise(10))).keep();
  expect(await readLargestPart({ ...key, url: 'http://b/file.gz' })).toBeUndefined();
  expect(await readLargestPart({ ...key, name: 'file' })).toBeUndefined();
});

it('leaves nothing behind if it was discarded, or nothing had arrived', async () => {
  await (await partWith(noise(10))).discard();
  await (await PartFile.create(key)).keep();
  expect(await readdir(key.dir)).toEqual([]);
});

it('goes with the others when one is published, and counts as published too', async () => {
  const [first, second] = [await partWith(noise(10)), await partWith(noise(10))];
  await (await partWith(noise(5))).keep();
  expect(await first.publish()).toBeUndefined();
  expect(await readdir(key.dir)).toEqual(['file.gz']);
  await second.append(noise(10));
  expect(await second.publish()).toBeUndefined();
  expect(await readdir(key.dir)).toEqual(['file.gz']);
});

it('is removed as idle only if nobody has written to it for long', async () => {
  await (await partWith(noise(10))).keep();
  const [old = ''] = await readdir(key.dir);
  const longAgo = new Date(Date.now() - 120_000);
  await utimes(join(key.dir, old), longAgo, longAgo);
  await (await partWith(noise(5))).keep();
  await removeIdleParts(key, 60_000);
  expect(await readdir(key.dir)).toHaveLength(1);
  expect((await readLargestPart(key))?.bytes).toHaveLength(5);
});

it('never fails if the disk does, but says so when it is to be published', async () => {
  await writeFile(key.dir, 'a file where the folder should be');
  const part = await partWith(noise(10));
  await part.append(noise(10));
  expect(await part.publish()).toMatchObject({ code: 'EEXIST' });
  await part.keep();
  await part.discard();
  expect(await readLargestPart(key)).toBeUndefined();
});
