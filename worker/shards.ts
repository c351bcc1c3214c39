import type { Split, SplitSize } from '../src/data/dataset.js';
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
 * The room that a run's training samples take.
 * @throws DtrainError PROTOCOL if a worker does not take so much
 */
export function sizeOfShards(shards: readonly ShardName[], sampleBytes: number): SplitSize {
  const count = shards.reduce((sum, shard) => sum + shard.count, 0);
  const largest = Math.max(...shards.map((shard) => shard.count * (sampleBytes + 1)));
  if (largest > limits.shardBytes || count * (sampleBytes + 1) > limits.dataBytes) {
    throw new DtrainError('PROTOCOL', 'The data is larger than a worker takes.');
  }
  return { count, sampleBytes };
}

/**
 * Fills a split of their size, shard by shard: from the cache, else from the coordinator.
 * @throws DtrainError PROTOCOL, COORDINATOR_GONE
 */
export async function loadShards(
  source: ShardSource,
  shards: readonly ShardName[],
  { count, images, labels }: Split,
): Promise<void> {
  const sampleBytes = images.length / count;
  let first = 0;
  let fetched = 0;
  const largest = Math.max(...shards.map((shard) => shard.count));
  const room = new Uint8Array(largest * (sampleBytes + 1));
  for (const shard of shards) {
    const content = room.subarray(0, shard.count * (sampleBytes + 1));
    if (!(await source.cache.read(shard.sha256, content))) {
      await fetchShard(source, shard, content);
      fetched += content.length;
    }
    const read = readShard(content, shard.count, sampleBytes);
    images.set(read.images, first * sampleBytes);
    labels.set(read.labels, first);
    first += shard.count;
  }
  source.onNotice(
    fetched === 0
      ? `All ${shards.length} shards of the data were in the cache.`
      : `Fetched ${(fetched / 1e6).toFixed(1)} MB of data from the coordinator.`,
  );
}

async function fetchShard(
  { url, token, cache, onNotice, signal }: ShardSource,
  shard: ShardName,
  content: Uint8Array,
): Promise<void> {
  await download(`${url.shards}${shard.sha256}`, token, content, signal);
  if (sha256(content) !== shard.sha256) {
    throw new DtrainError('PROTOCOL', `Shard ${shard.sha256.slice(0, 12)} came damaged.`);
  }
  try {
    await cache.put(shard.sha256, content);
  } catch (error) {
    if (!(error instanceof DtrainError)) throw error;
    onNotice(`A shard is not kept for the next time: ${error.message}`);
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
