import { describe, expect, test } from 'vitest';
import {
  type Augmentation,
  augmentationOf,
  augmentationText,
  NO_AUGMENTATION,
} from '../../src/augment/augmentation.js';
import { Augmenter } from '../../src/augment/augmenter.js';
import { sha256 } from '../../src/sha256.js';
import { randomNumbers } from '../reference/random.js';

const ALL: Augmentation = { shift: 0.1, rotate: 20, scale: 0.15, elastic: 0.2 };
const SHAPE = [28, 20, 3] as const;
const SIZE = 28 * 20 * 3;
const next = randomNumbers(8);
const image = Uint8Array.from({ length: SIZE }, () => 256 * next());

/** The image as sample `sample` in an epoch. */
function augmented(amounts: Augmentation, sample = 5, epoch = 2, seed = 7): Uint8Array {
  const bytes = new Uint8Array(2 * SIZE);
  bytes.set(image);
  const augmenter = new Augmenter({ amounts, shape: SHAPE }, seed);
  augmenter.augment(epoch, sample, bytes, 0, SIZE);
  return bytes.slice(SIZE);
}

describe('an augmented image', () => {
  // These bits must never change: every machine of a run trains on the same bytes.
  test('has the known bits', () => {
    const all = [0, 1, 59_999, 2 ** 31 - 1].map((sample) => augmented(ALL, sample));
    expect(sha256(...all)).toBe('d4c310a6853a2b710731d55dab456ae449564c63a4f4686a7840c881e6104ff4');
  });

  test('follows from seed, epoch and sample, and from nothing before it', () => {
    const first = augmented(ALL);
    expect(augmented(ALL)).toEqual(first);
    expect(augmented(ALL, 6)).not.toEqual(first);
    expect(augmented(ALL, 5, 3)).not.toEqual(first);
    expect(augmented(ALL, 5, 2, 8)).not.toEqual(first);
    const bytes = new Uint8Array(2 * SIZE);
    bytes.set(image);
    const augmenter = new Augmenter({ amounts: ALL, shape: SHAPE }, 7);
    for (const sample of [1, 5]) augmenter.augment(2, sample, bytes, 0, SIZE);
    expect(bytes.slice(SIZE)).toEqual(first);
  });

  test.each(['shift', 'rotate', 'scale', 'elastic'] as const)(
    'is changed by %s alone',
    (change) => {
      expect(augmented({ ...NO_AUGMENTATION, [change]: ALL[change] })).not.toEqual(image);
    },
  );
});

describe('what is done to samples', () => {
  test('is nothing where nothing is asked for', () => {
    expect(augmentationOf(NO_AUGMENTATION, [1, 9, 1], 9)).toBeUndefined();
    expect(augmentationText(NO_AUGMENTATION)).toBe('none');
    expect(augmentationText({ ...NO_AUGMENTATION, rotate: 9, elastic: 0.1 })).toBe(
      'rotate=9,elastic=0.1',
    );
  });

  test.each([
    [1, 30, 1, 'bytes'],
    [30, 1, 1, 'bytes'],
    [4097, 30, 1, 'bytes'],
    [30, 30, 4, 'values'],
  ])('cannot be to %i x %i values of %i bytes', (rows, columns, each, what) => {
    expect(() => augmentationOf(ALL, [rows, columns, 1], rows * columns * each)).toThrow(
      `Samples of ${rows} x ${columns} ${what} cannot be augmented: leave --augment out`,
    );
  });
});
