import { createHash, type Hash } from 'node:crypto';
import type { MemorySplit, Split } from './dataset.js';
import type { ImageFiles } from './image-files.js';
import type { Blocks } from './normalise.js';
import type { ShardCache } from './shard-cache.js';
import { samplesPerShard } from './shards.js';

/** Bytes of a split's samples that are kept in memory; what is trained does not depend on it. */
export const MEMORY_BYTES = 256 * 1024 * 1024;

export interface KeepOptions {
  readonly sampleBytes: number;
  /** Larger splits go to files. */
  readonly memoryBytes: number;
  readonly cache: ShardCache;
  /** Changes whole samples, in place, before they are kept. */
  readonly change: (samples: Uint8Array) => void;
}

/** A split, and the SHA-256 of its samples, as they came, and their labels. */
export interface Kept {
  readonly split: Split;
  readonly sha256: string;
}

/**
 * Keeps samples in memory, or in the files of their shards if they are many.
 * @param labels one for each sample
 * @throws DtrainError DATA_DAMAGED, WRITE_FAILED
 */
export async function keepSplit(
  samples: Blocks,
  labels: Uint8Array,
  options: KeepOptions,
): Promise<Kept> {
  const hash = createHash('sha256');
  const fits = labels.length * options.sampleBytes <= options.memoryBytes;
  const keep = fits ? keepInMemory : keepInFiles;
  const images = await keep(hashed(samples, hash), labels, options);
  hash.update(labels);
  return { split: { count: labels.length, images, labels }, sha256: hash.digest('hex') };
}

async function* hashed(samples: Blocks, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const block of samples()) {
    hash.update(block);
    yield block;
  }
}

async function keepInMemory(
  samples: AsyncIterable<Uint8Array>,
  labels: Uint8Array,
  { sampleBytes, change }: KeepOptions,
): Promise<MemorySplit['images']> {
  const images = new Uint8Array(labels.length * sampleBytes);
  let filled = 0;
  for await (const block of samples) {
    images.set(block, filled);
    filled += block.length;
  }
  change(images);
  return images;
}

async function keepInFiles(
  samples: AsyncIterable<Uint8Array>,
  labels: Uint8Array,
  { sampleBytes, cache, change }: KeepOptions,
): Promise<ImageFiles> {
  const perFile = samplesPerShard({ count: labels.length, sampleBytes });
  const room = new Uint8Array(perFile * (sampleBytes + 1));
  const paths: string[] = [];
  let filled = 0;
  for await (const block of samples) {
    for (let from = 0; from < block.length;) {
      const first = paths.length * perFile;
      const ofShard = labels.subarray(first, first + perFile);
      const size = ofShard.length * sampleBytes;
      const part = block.subarray(from, from + size - filled);
      room.set(part, filled);
      filled += part.length;
      from += part.length;
      if (filled < size) continue;
      change(room.subarray(0, size));
      room.set(ofShard, size);
      const content = room.subarray(0, size + ofShard.length);
      paths.push(await cache.add(content));
      filled = 0;
    }
  }
  return { paths, perFile, sampleBytes };
}
