import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ShardCache } from '../../src/data/shard-cache.js';
import { dtrainError, noise, sumOf, temporaryFolder } from './helpers.js';

const bytes = noise(5000);
const key = sumOf(bytes);

async function get(cache: ShardCache, name: string): Promise<Uint8Array | undefined> {
  const target = new Uint8Array(bytes.length);
  return (await cache.read(name, target)) ? target : undefined;
}

it('gives back what was put there, also to a later cache in the same folder', async () => {
  const dir = join(await temporaryFolder(), 'not', 'there', 'yet');
  const cache = new ShardCache(dir);
  expect(await get(cache, key)).toBeUndefined();
  await cache.put(key, bytes);
  expect(await get(cache, key)).toEqual(bytes);
  expect(await get(new ShardCache(dir), key)).toEqual(bytes);
  expect(await readdir(dir)).toEqual([key]);
});

it('takes a damaged shard as not there, until it is put again', async () => {
  const dir = await temporaryFolder();
  const cache = new ShardCache(dir);
  await cache.put(key, bytes);
  const file = await readFile(join(dir, key));
  file.writeUInt8(file.readUInt8(4000) ^ 1, 4000);
  for (const damage of [file, file.subarray(0, 100), new Uint8Array(0)]) {
    await writeFile(join(dir, key), damage);
    expect(await get(cache, key)).toBeUndefined();
    await cache.put(key, bytes);
    expect(await get(cache, key)).toEqual(bytes);
    expect(await readdir(dir)).toEqual([key]);
  }
});

it('leaves a shard alone that somebody takes for a shorter or longer one', async () => {
  const cache = new ShardCache(await temporaryFolder());
  await cache.put(key, bytes);
  for (const length of [1, bytes.length - 1, bytes.length + 1]) {
    expect(await cache.read(key, new Uint8Array(length))).toBe(false);
  }
  expect(await get(cache, key)).toEqual(bytes);
});

it('refuses bytes that are not what their key says, and keeps nothing of them', async () => {
  const dir = await temporaryFolder();
  await expect(new ShardCache(dir).put(key, noise(5000, 2))).rejects.toEqual(
    dtrainError('PROTOCOL', key.slice(0, 12)),
  );
  expect(await readdir(dir)).toEqual([]);
});

it.each(['', '../secret', `../${key.slice(3)}`, key.toUpperCase(), key.slice(1), `${key}\n`])(
  'never takes %j for the name of a file',
  async (name) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'secret'), bytes);
    const cache = new ShardCache(join(folder, 'cache'));
    await expect(get(cache, name)).rejects.toEqual(dtrainError('PROTOCOL', 'shard'));
    await expect(cache.put(name, bytes)).rejects.toEqual(dtrainError('PROTOCOL', 'shard'));
    expect(await readdir(folder)).toEqual(['secret']);
  },
);

it('puts one shard from many sides at once', async () => {
  const dir = await temporaryFolder();
  await Promise.all(Array.from({ length: 8 }, () => new ShardCache(dir).put(key, bytes)));
  expect(await get(new ShardCache(dir), key)).toEqual(bytes);
  expect(await readdir(dir)).toEqual([key]);
});

it('says that it could not write, naming the folder, the reason and what to do', async () => {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, '');
  const failure = new ShardCache(join(file, 'cache')).put(key, bytes);
  await expect(failure).rejects.toEqual(
    dtrainError('WRITE_FAILED', file, 'ENOTDIR', 'DTRAIN_CACHE_DIR'),
  );
  await expect(failure).rejects.toMatchObject({ cause: { code: 'ENOTDIR' } });
  expect(await get(new ShardCache(join(file, 'cache')), key)).toBeUndefined();
});

it('leaves nothing of a shard that it could not give its name', async () => {
  const dir = await temporaryFolder();
  await mkdir(join(dir, key));
  await expect(new ShardCache(dir).put(key, bytes)).rejects.toEqual(
    dtrainError('WRITE_FAILED', dir),
  );
  expect(await readdir(dir)).toEqual([key]);
});
