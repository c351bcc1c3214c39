import path from 'node:path';
import { DtrainError } from '../errors.js';
import { isInMemory, sizeOfSplit, type Split, type SplitSize } from './dataset.js';
import { sha256 } from '../sha256.js';

/** Samples in a shard of an ordinary data set; 3.9 MB of MNIST. */
export const SHARD_SAMPLES = 5000;
/** Bytes of the largest shard, and shards of the largest data set. */
export const SHARD_BYTES = 64 * 1024 * 1024;
export const MOST_SHARDS = 1000;

/** A run of a split's samples, as it travels to other machines and is cached there. */
export interface Shard {
  /** Of its content: the shard's name. */
  readonly sha256: string;
  /** The index in the split of the shard's first sample. */
  readonly first: number;
  readonly count: number;
  readonly bytes: number;
  /**
   * The images, count * sampleBytes bytes, then the labels, count bytes: as views of the split, or
   * in a file.
   */
  readonly content: readonly [images: Uint8Array, labels: Uint8Array] | { readonly path: string };
}

/**
 * Samples in each shard of a split but the last, which may have fewer.
 * @throws DtrainError DATA_DAMAGED if the split is too large
 */
export function samplesPerShard({ count, sampleBytes }: SplitSize): number {
  const most = Math.floor(SHARD_BYTES / (sampleBytes + 1));
  const samples = Math.min(most, Math.max(SHARD_SAMPLES, Math.ceil(count / MOST_SHARDS)));
  if (samples * MOST_SHARDS < count) {
    const gigabytes = (size: number): string => (size / 2 ** 30).toFixed(1);
    const message =
      `${count} samples of ${sampleBytes} bytes make ${gigabytes(count * sampleBytes)} GiB: ` +
      `${gigabytes(MOST_SHARDS * SHARD_BYTES)} GiB is the most; use fewer or smaller samples.`;
    throw new DtrainError('DATA_DAMAGED', message);
  }
  return samples;
}

/** Cuts a split into shards, in order. */
export function cutShards(split: Split): Shard[] {
  const { images, labels, count } = split;
  const { sampleBytes } = sizeOfSplit(split);
  const perShard = isInMemory(images) ? samplesPerShard({ count, sampleBytes }) : images.perFile;
  return Array.from({ length: Math.ceil(count / perShard) }, (_, index) => {
    const [first, last] = [index * perShard, Math.min(count, (index + 1) * perShard)];
    const samples = last - first;
    const place = { first, count: samples, bytes: samples * (sampleBytes + 1) };
    if (!isInMemory(images)) {
      const file = images.paths[index] ?? '';
      return { ...place, sha256: path.basename(file), content: { path: file } };
    }
    const parts = [
      images.subarray(first * sampleBytes, last * sampleBytes),
      labels.subarray(first, last),
    ] as const;
    return { ...place, sha256: sha256(...parts), content: parts };
  });
}

/**
 * The images and labels of a shard's `count` samples, as views of its bytes.
 * Throws PROTOCOL if there are not as many bytes as that takes.
 */
export function readShard(
  bytes: Uint8Array,
  count: number,
  sampleBytes: number,
): { images: Uint8Array; labels: Uint8Array } {
  const expected = count * (sampleBytes + 1);
  if (!Number.isSafeInteger(count) || bytes.length !== expected) {
    const sizes = `${count} samples of ${sampleBytes} bytes and a label make ${expected} bytes`;
    throw new DtrainError(
      'PROTOCOL',
      `A data shard has the wrong length: ${sizes}, but it has ${bytes.length}; ` +
        'use the same version of dtrain on all machines.',
    );
  }
  const labelsAt = count * sampleBytes;
  return { images: bytes.subarray(0, labelsAt), labels: bytes.subarray(labelsAt) };
}
