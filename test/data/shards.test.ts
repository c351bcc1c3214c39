import { expect, it } from 'vitest';
import { SHARD_SAMPLES, cutShards, readShard } from '../../src/data/shards.js';
import type { MemorySplit } from '../../src/data/dataset.js';
import { contentOf, dtrainError, noise, sumOf } from './helpers.js';

const SAMPLE_BYTES = 6;

function split(count: number): MemorySplit {
  return { count, images: noise(count * SAMPLE_BYTES), labels: noise(count, 2) };
}

it('cuts a split into shards that together hold each sample once, in order', () => {
  const whole = split(2 * SHARD_SAMPLES + 1);
  const shards = cutShards(whole);
  expect(shards.map(({ first, count }) => [first, count])).toEqual([
    [0, SHARD_SAMPLES],
    [SHARD_SAMPLES, SHARD_SAMPLES],
    [2 * SHARD_SAMPLES, 1],
  ]);
  const read = shards.map((shard) => readShard(contentOf(shard), shard.count, SAMPLE_BYTES));
  expect(Buffer.concat(read.map(({ images }) => images)).equals(whole.images)).toBe(true);
  expect(Buffer.concat(read.map(({ labels }) => labels)).equals(whole.labels)).toBe(true);
});

it('names each shard by the sum of its bytes', () => {
  for (const shard of cutShards(split(SHARD_SAMPLES + 7))) {
    expect(shard.sha256).toBe(sumOf(contentOf(shard)));
  }
});

it('gives the same shards of the same samples, and makes no empty one', () => {
  const whole = split(SHARD_SAMPLES);
  expect(cutShards(whole)).toEqual(cutShards(whole));
  expect(cutShards(whole)).toHaveLength(1);
  expect(cutShards(split(0))).toEqual([]);
});

it('lays the images first and then the labels, and reads them as views', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const { images, labels } = readShard(bytes, 2, 3);
  expect(images).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
  expect(labels).toEqual(Uint8Array.of(7, 8));
  expect([images.buffer, labels.buffer]).toEqual([bytes.buffer, bytes.buffer]);
});

it.each([
  [7, 2],
  [9, 2],
  [0, 2],
  [2, 0.5],
  [8, -2],
  [8, NaN],
])('refuses %i bytes for %d samples of 3 bytes', (length, count) => {
  let caught: unknown;
  try {
    readShard(new Uint8Array(length), count, 3);
  } catch (error) {
    caught = error;
  }
  expect(caught).toEqual(dtrainError('PROTOCOL', 'shard', String(length)));
});
