import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CoordinatorServer } from '../../coordinator/server.js';
import { isInMemory, type MemorySplit } from '../../src/data/dataset.js';
import { ImageReader } from '../../src/data/image-files.js';
import { ShardCache } from '../../src/data/shard-cache.js';
import { cutShards, SHARD_SAMPLES } from '../../src/data/shards.js';
import { limits } from '../../src/protocol/protocol.js';
import { loadShards, type ShardSource } from '../../worker/shards.js';
import { parseCoordinatorUrl } from '../../worker/url.js';
import { shardOf } from '../coordinator/server-under-test.js';
import { contentOf, dtrainError, noise, sumOf, temporaryFolder } from '../data/helpers.js';
import { unusedPort, webServer } from './servers.js';

const SAMPLE_BYTES = 6;
const TOKEN = 'secret';

/** Three shards, the last one short. */
const split: MemorySplit = {
  count: 2 * SHARD_SAMPLES + 7,
  images: noise((2 * SHARD_SAMPLES + 7) * SAMPLE_BYTES, 1),
  labels: noise(2 * SHARD_SAMPLES + 7, 2),
};
const shards = cutShards(split).map((shard) => ({ ...shard, bytes: contentOf(shard) }));
const names = shards.map(({ sha256, count }) => ({ sha256, count }));
const contents = new Map(shards.map(({ sha256, bytes }) => [sha256, bytes]));

async function serve(content: ReadonlyMap<string, Uint8Array>): Promise<CoordinatorServer> {
  const server = await CoordinatorServer.listen({
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    largestFrame: 1000,
    shards: new Map([...content].map(([name, bytes]) => [name, shardOf(bytes)])),
    onConnection: (socket) => {
      socket.terminate();
    },
  });
  onTestFinished(() => server.close());
  return server;
}

async function sourceAt(
  port: number,
  other: Partial<ShardSource> = {},
): Promise<ShardSource & { folder: string; notices: string[] }> {
  const folder = await temporaryFolder();
  const notices: string[] = [];
  return {
    url: parseCoordinatorUrl(`127.0.0.1:${port}`),
    token: TOKEN,
    signal: new AbortController().signal,
    cache: new ShardCache(folder),
    onNotice: (sentence) => notices.push(sentence),
    folder,
    notices,
    ...other,
  };
}

/** The samples, read from wherever they are. */
async function load(source: ShardSource, shards: typeof names): Promise<MemorySplit> {
  const { count, labels, images } = await loadShards(source, shards, SAMPLE_BYTES);
  if (isInMemory(images)) return { count, labels, images };
  const reader = new ImageReader(images);
  const read = new Uint8Array(count * SAMPLE_BYTES);
  for (let sample = 0; sample < count; sample++) reader.read(sample, read, sample * SAMPLE_BYTES);
  reader.close();
  return { count, labels, images: read };
}

describe('the data of a run', () => {
  test('comes from the coordinator, in order, and is kept', async () => {
    const { port } = await serve(contents);
    const source = await sourceAt(port);
    expect(await load(source, names)).toEqual(split);
    expect((await readdir(source.folder)).sort()).toEqual(names.map((n) => n.sha256).sort());
    expect(source.notices).toEqual([expect.stringMatching(/^Fetched 0\.1 MB /)]);
  });

  test('comes from the cache the second time, without a word to the coordinator', async () => {
    const server = await serve(contents);
    const source = await sourceAt(server.port);
    await load(source, names);
    await server.close();
    expect(await load(source, names)).toEqual(split);
    expect(source.notices.at(-1)).toMatch(/^All 3 shards .* in the cache\.$/);
  });

  test('comes from both where the cache has a part of it, or something damaged', async () => {
    const asked: string[] = [];
    const port = await webServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(contents.get((request.url ?? '').slice('/shards/'.length)));
    });
    const source = await sourceAt(port);
    const [first, second, third] = shards;
    if (!first || !second || !third) throw new Error('There are no shards.');
    await source.cache.put(first.sha256, first.bytes);
    await writeFile(join(source.folder, third.sha256), 'damaged');
    expect(await load(source, names)).toEqual(split);
    expect(asked).toEqual([`/shards/${second.sha256}`, `/shards/${third.sha256}`]);
    const kept = new Uint8Array(third.bytes.length);
    expect(await source.cache.read(third.sha256, kept)).toBe(true);
    expect(kept).toEqual(third.bytes);
  });

  test('comes all the same if the cache cannot be written to', async () => {
    const { port } = await serve(contents);
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const source = await sourceAt(port, { cache: new ShardCache(join(file, 'cache')) });
    expect(await load(source, names)).toEqual(split);
    expect(source.notices[0]).toMatch(/not kept .*ENOTDIR/);
  });
});

describe('is refused, and not kept:', () => {
  const [shard] = shards;
  if (!shard) throw new Error('There are no shards.');
  const { sha256, bytes, count } = shard;

  async function expectRefused(content: Uint8Array, ...parts: string[]): Promise<void> {
    const { port } = await serve(new Map([[sha256, content]]));
    const source = await sourceAt(port);
    await expect(load(source, [{ sha256, count }])).rejects.toEqual(
      dtrainError('PROTOCOL', ...parts),
    );
    expect(await readdir(source.folder)).toEqual([]);
  }

  test('a shard with one bit that is another', async () => {
    const damaged = Uint8Array.from(bytes);
    damaged[1000] = (damaged[1000] ?? 0) ^ 1;
    await expectRefused(damaged, sha256.slice(0, 12), 'damaged');
  });

  test('another shard', async () => {
    await expectRefused(noise(bytes.length, 9), 'damaged');
  });

  test.each([
    ['too short', bytes.subarray(1)],
    ['too long', Buffer.concat([bytes, Buffer.alloc(1)])],
    ['far too long', Buffer.concat([bytes, Buffer.alloc(1_000_000)])],
    ['empty', Buffer.alloc(0)],
  ])('a shard that is %s', async (_, content) => {
    await expectRefused(content, 'wrong size');
  });

  test('a shard that the coordinator does not have', async () => {
    const { port } = await serve(new Map());
    await expect(load(await sourceAt(port), names)).rejects.toEqual(dtrainError('PROTOCOL', '404'));
  });

  test('data for which the token does not hold', async () => {
    const { port } = await serve(contents);
    const source = await sourceAt(port, { token: 'another' });
    await expect(load(source, names)).rejects.toEqual(dtrainError('PROTOCOL', '401'));
  });

  test.each([
    ['one shard that is larger than any may be', [limits.shardBytes]],
    ['one shard that is larger than any memory', [2 ** 32 - 1]],
    ['many shards that are larger than any memory', new Array<number>(1000).fill(2 ** 32 - 1)],
  ])('%s, before it is asked for', async (_, counts) => {
    const source = await sourceAt(await unusedPort());
    const claimed = counts.map((claim) => ({ sha256: sumOf(noise(1)), count: claim }));
    await expect(load(source, claimed)).rejects.toEqual(dtrainError('PROTOCOL', 'larger than'));
  });
});

describe('the coordinator is gone', () => {
  test('if nothing answers', async () => {
    const failure = load(await sourceAt(await unusedPort()), names);
    await expect(failure).rejects.toEqual(dtrainError('COORDINATOR_GONE'));
  });

  test('if it breaks off in the middle of a shard', async () => {
    const port = await webServer((request, response) => {
      const content = contents.get((request.url ?? '').slice('/shards/'.length));
      if (!content) return;
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 1000), () => {
        response.destroy();
      });
    });
    const source = await sourceAt(port);
    await expect(load(source, names)).rejects.toEqual(dtrainError('COORDINATOR_GONE'));
    expect(await readdir(source.folder)).toEqual([]);
  });
});

test('a name that is no hash never reaches the disk or the network', async () => {
  const source = await sourceAt(await unusedPort());
  await mkdir(join(source.folder, 'x'));
  const outside = [{ sha256: '../x', count: 1 }];
  await expect(load(source, outside)).rejects.toEqual(dtrainError('PROTOCOL'));
});
