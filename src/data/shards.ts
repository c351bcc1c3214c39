import { DtrainError } from '../errors.js';
import { sizeOfSplit, type Split } from './dataset.js';
import { sha256 } from '../sha256.js';

/** Samples in a shard; the last one of a split may have fewer. 3.9 MB of MNIST. */
export const SHARD_SAMPLES = 5000;

/** A run of a split's samples, as it travels to other machines and is cached there. */
export interface Shard {
  /** Of its parts, one after the other: the shard's name. */
  readonly sha256: string;
  /** The index in the split of the shard's first sample. */
  readonly first: number;
  readonly count: number;
  /** The images, count * sampleBytes bytes; then the labels, count bytes. Views of the split. */
  readonly parts: readonly [images: Uint8Array, labels: Uint8Array];
}

/** Cuts a split into shards, in order. */
export function cutShards(split: Split): Shard[] {
  const { sampleBytes } = sizeOfSplit(split);
  const shards: Shard[] = [];
  for (let first = 0; first < split.count; first += SHARD_SAMPLES) {
    const count = Math.min(SHARD_SAMPLES, split.count - first);
    const images = split.images.subarray(first * sampleBytes, (first + count) * sampleBytes);
    const labels = split.labels.subarray(first, first + count);
    shards.push({ sha256: sha256(images, labels), first, count, parts: [images, labels] });
  }
  return shards;
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
