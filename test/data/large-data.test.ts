import { readdir, readFile, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { assemble, type AssembleOptions } from '../../src/data/assemble.js';
import { type Dataset, isInMemory, type Split } from '../../src/data/dataset.js';
import { type ImageFiles, ImageReader } from '../../src/data/image-files.js';
import { cutShards, MOST_SHARDS, samplesPerShard, SHARD_BYTES } from '../../src/data/shards.js';
import type { Block, Source } from '../../src/data/sources/source.js';
import { dtrainError, noise, sumOf, temporaryFolder } from './helpers.js';

const WIDTH = 7;
const COUNT = 12_000;
const OPTIONS = { seed: 1, holdOut: true, skipBad: true, normalise: 'standard' } as const;

let cache: string;
beforeEach(async () => {
  cache = await temporaryFolder();
  vi.stubEnv('DTRAIN_CACHE_DIR', cache);
});

/** Rows of noise, in blocks; the label of every 100th is one that nobody else has. */
function table(inputType: Source['inputType'], test: boolean): Source {
  async function* blocks(): AsyncGenerator<Block> {
    const bytes = noise(COUNT * WIDTH);
    const values = inputType === 'uint8' ? bytes : Float32Array.from(bytes, (byte) => byte / 3);
    for (let from = 0; from < COUNT; from += 700) {
      const rows = Math.min(700, COUNT - from);
      await Promise.resolve();
      yield {
        values: values.slice(from * WIDTH, (from + rows) * WIDTH),
        labels: Array.from({ length: rows }, (_, row) => ((from + row) % 100 ? row % 3 : -1)),
        place: (row) => `row ${from + row}`,
      };
    }
  }
  const source = { name: 'table', origin: 'a table', shape: [1, 1, WIDTH], inputType } as const;
  return { ...source, train: blocks, ...(test && { test: blocks }) };
}

function samplesOf({ count, images }: Split, sampleBytes: number): Uint8Array {
  if (isInMemory(images)) return images;
  const read = new Uint8Array(count * sampleBytes);
  const reader = new ImageReader(images);
  for (let sample = 0; sample < count; sample++) reader.read(sample, read, sample * sampleBytes);
  reader.close();
  return read;
}

/** All that is known of a data set but where its samples are. */
function contentOf(dataset: Dataset, sampleBytes: number): object {
  const { train, test, ...rest } = dataset;
  const [ofTrain, ofTest] = [train, test].map((split) => [
    split.count,
    sumOf(samplesOf(split, sampleBytes)),
    sumOf(split.labels),
  ]);
  return { ...rest, ofTrain, ofTest };
}

const load = (source: Source, other: Partial<AssembleOptions> = {}): Promise<Dataset> =>
  assemble(source, { ...OPTIONS, classes: { count: 3 }, ...other });

describe.each(['uint8', 'float32'] as const)('many samples of %s', (inputType) => {
  const sampleBytes = inputType === 'uint8' ? WIDTH : 4 * WIDTH;

  test.each([
    ['with test samples', true, true],
    ['of which some are held out', false, true],
    ['that are all tested on', false, false],
  ])('%s, are the same in files as in memory', async (_, hasTest, holdOut) => {
    const source = table(inputType, hasTest);
    const small = await load(source, { holdOut });
    const large = await load(source, { holdOut, memoryBytes: 1000 });
    expect(isInMemory(small.train.images)).toBe(true);
    expect(isInMemory(large.train.images)).toBe(false);
    expect(large.skipped).toBeGreaterThan(0);
    expect(contentOf(large, sampleBytes)).toEqual(contentOf(small, sampleBytes));
  });

  test('are kept as the shards that are cut of memory, and nothing else is left', async () => {
    const source = table(inputType, false);
    const named = ({ train }: Dataset) => cutShards(train).map(({ sha256 }) => sha256);
    const large = await load(source, { memoryBytes: 1000 });
    expect(named(large)).toEqual(named(await load(source)));
    const files = await readdir(path.join(cache, 'shards'));
    expect(files).toEqual(expect.arrayContaining(named(large)));
    for (const file of files) {
      expect(sumOf(await readFile(path.join(cache, 'shards', file)))).toBe(file);
    }
  });
});

test('a disk that does not take the samples ends it with what to do', async () => {
  vi.stubEnv('DTRAIN_CACHE_DIR', '/dev/null/cache');
  const loading = load(table('uint8', false), { memoryBytes: 1000 });
  await expect(loading).rejects.toEqual(dtrainError('WRITE_FAILED', 'DTRAIN_CACHE_DIR'));
});

describe('samples in files', () => {
  async function files(): Promise<ImageFiles> {
    const { train } = await load(table('uint8', false), { memoryBytes: 1000 });
    if (isInMemory(train.images)) throw new Error('The samples are in memory.');
    return train.images;
  }

  test('that were read ahead are the same', async () => {
    const images = await files();
    const reader = new ImageReader(images);
    const read = (): string => {
      const target = new Uint8Array(3 * WIDTH);
      [7, 5001, 9].forEach((sample, index) => {
        reader.read(sample, target, index * WIDTH);
      });
      return sumOf(target);
    };
    const before = read();
    reader.readAhead(Uint32Array.of(5001, 7, 8));
    expect(read()).toBe(before);
    reader.close();
  });

  test.each([
    ['gone', (file: string) => rm(file), 'is gone'],
    ['too short', (file: string) => truncate(file, 10), 'too short'],
  ])('that are %s end with an error that names the file', async (_, spoil, words) => {
    const images = await files();
    const [, file = ''] = images.paths;
    await spoil(file);
    const reader = new ImageReader(images);
    expect(() => {
      reader.read(images.perFile + 5, new Uint8Array(WIDTH), 0);
    }).toThrow(dtrainError('DATA_MISSING', file, words));
  });
});

describe('a shard', () => {
  test.each([
    [60_000, 784, 5000],
    [1_000_000, 784, 5000],
    [100_000_000, 16, 100_000],
    [1_000, 150_528, 445],
  ])('of %i samples of %i bytes has %i', (count, sampleBytes, expected) => {
    expect(samplesPerShard({ count, sampleBytes })).toBe(expected);
  });

  test('is never so large that the data set has more shards than there may be', () => {
    const sampleBytes = 1023;
    const most = (MOST_SHARDS * SHARD_BYTES) / 1024;
    expect(samplesPerShard({ count: most, sampleBytes })).toBe(SHARD_BYTES / 1024);
    expect(() => samplesPerShard({ count: most + 1, sampleBytes })).toThrow(
      /62\.5 GiB is the most/,
    );
  });
});
