import type { MemorySplit, Split } from '../src/data/dataset.js';
import { MEMORY_BYTES } from '../src/data/keep.js';
import { sha256 } from '../src/sha256.js';
import { readShard } from '../src/data/shards.js';
import type { ShardCache } from '../src/data/shard-cache.js';
import { DtrainError } from '../src/errors.js';
import { limits, type Welcome } from '../src/protocol/protocol.js';
import type { CoordinatorUrl } from './url.js';

export interface ShardSource {
  readonly url: CoordinatorUrl;
  readonly token: string | null;
  readonly cache: ShardCache;
  readonly onNotice: (sentence: string) => void;
  readonly signal: AbortSignal;
}

type ShardName = Welcome['data']['shards'][number];

/**
 * A run's training samples: in the cache's files, which get what is missing from the coordinator;
 * in memory if there can be no such files.
 * @throws DtrainError PROTOCOL, COORDINATOR_GONE, WRITE_FAILED
 */
export async function loadShards(
  source: ShardSource,
  shards: readonly ShardName[],
  sampleBytes: number,
): Promise<Split> {
  const perFile = shards[0]?.count ?? 0;
  const isEven = shards.every(({ count }, index) =>
    index === shards.length - 1 ? count <= perFile : count === perFile,
  );
  if (!isEven) {
    throw new DtrainError('PROTOCOL', 'The shards of the data are of different sizes.');
  }
  const count = shards.reduce((sum, shard) => sum + shard.count, 0);
  if (perFile * (sampleBytes + 1) > limits.shardBytes || count > limits.samples) {
    throw new DtrainError('PROTOCOL', 'The data is larger than a worker takes.');
  }
  const labels = new Uint8Array(count);
  try {
    await readShards(source, shards, sampleBytes, true, (content, first) => {
      labels.set(content.labels, first);
    });
    const paths = shards.map(({ sha256 }) => source.cache.pathOf(sha256));
    return { count, labels, images: { paths, perFile, sampleBytes } };
  } catch (error) {
    const isFull = error instanceof DtrainError && error.code === 'WRITE_FAILED';
    if (!isFull || count * sampleBytes > MEMORY_BYTES) throw error;
    source.onNotice(`The data is not kept for the next time: ${error.message}`);
  }
  const images = new Uint8Array(count * sampleBytes);
  await readShards(source, shards, sampleBytes, false, (content, first) => {
    images.set(content.images, first * sampleBytes);
    labels.set(content.labels, first);
  });
  return { count, labels, images };
}

/** Takes shard after shard, from the cache or else from the coordinator. */
async function readShards(
  source: ShardSource,
  shards: readonly ShardName[],
  sampleBytes: number,
  keep: boolean,
  take: (content: Omit<MemorySplit, 'count'>, first: number) => void,
): Promise<void> {
  const room = new Uint8Array((shards[0]?.count ?? 0) * (sampleBytes + 1));
  let first = 0;
  let fetched = 0;
  for (const { sha256: name, count } of shards) {
    const content = room.subarray(0, count * (sampleBytes + 1));
    if (!(await source.cache.read(name, content))) {
      await fetchShard(source, name, content);
      if (keep) await source.cache.put(name, content);
      fetched += content.length;
    }
    take(readShard(content, count, sampleBytes), first);
    first += count;
  }
  source.onNotice(
    fetched === 0
      ? `All ${shards.length} shards of the data were in the cache.`
      : `Fetched ${(fetched / 1e6).toFixed(1)} MB of data from the coordinator.`,
  );
}

async function fetchShard(
  { url, token, signal }: ShardSource,
  name: string,
  content: Uint8Array,
): Promise<void> {
  await download(`${url.shards}${name}`, token, content, signal);
  if (sha256(content) !== name) {
    throw new DtrainError('PROTOCOL', `Shard ${name.slice(0, 12)} came damaged.`);
  }
}

async function download(
  address: string,
  token: string | null,
  target: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  const stalled = new AbortController();
  const timer = setTimeout(() => {
    stalled.abort();
  }, limits.stallMs);
  try {
    const response = await fetch(address, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      // The token and this machine's requests are for this coordinator alone.
      redirect: 'manual',
      signal: AbortSignal.any([stalled.signal, signal]),
    });
    if (!response.ok || !response.body) {
      throw new DtrainError('PROTOCOL', `A shard was refused (HTTP status ${response.status}).`);
    }
    let received = 0;
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      timer.refresh();
      if (received + chunk.length > target.length) throw wrongSize();
      target.set(chunk, received);
      received += chunk.length;
    }
    if (received !== target.length) throw wrongSize();
  } catch (error) {
    if (error instanceof DtrainError) throw error;
    throw new DtrainError('COORDINATOR_GONE', 'The coordinator went away while data came.', {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

function wrongSize(): DtrainError {
  return new DtrainError('PROTOCOL', 'A shard has the wrong size.');
}
