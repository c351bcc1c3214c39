import { DtrainError } from '../errors.js';
import type { ModelSpec } from '../model/layers.js';
import { sizeOf } from '../model/model.js';

/** What may happen to an image before it is trained on, and how much of it at most. */
export interface Augmentation {
  /** Along each axis, a share of the image's extent. */
  readonly shift: number;
  /** Degrees, either way. */
  readonly rotate: number;
  /** Along each axis, a share by which it is stretched or shrunk. */
  readonly scale: number;
  /** By how much each point is displaced along each axis, a share of the image's extent. */
  readonly elastic: number;
}

export type Change = keyof Augmentation;

export const NO_AUGMENTATION: Augmentation = { shift: 0, rotate: 0, scale: 0, elastic: 0 };

/** What suits handwritten digits. */
export const usualAmounts: Augmentation = { shift: 0.05, rotate: 5, scale: 0.05, elastic: 0.07 };

/** The most there may be of each; a larger one leaves too little of an image. */
export const largestAmounts: Augmentation = { shift: 0.5, rotate: 180, scale: 0.5, elastic: 0.5 };

export const changes = Object.keys(NO_AUGMENTATION) as readonly Change[];

/** Changes, and the images that they are made to: [rows, columns, channels]. */
export interface ImageAugmentation {
  readonly amounts: Augmentation;
  readonly shape: ModelSpec['input'];
}

/** Rows and columns of an image that can be augmented. */
const LARGEST_SIDE = 4096;

/**
 * What is done to images of a shape, of so many bytes each; undefined if nothing.
 * @throws DtrainError USAGE if samples of that shape cannot be augmented
 */
export function augmentationOf(
  amounts: Augmentation,
  shape: ModelSpec['input'],
  sampleBytes: number,
): ImageAugmentation | undefined {
  if (!changes.some((change) => amounts[change] > 0)) return undefined;
  const [rows, columns] = shape;
  const bytes = sampleBytes === sizeOf(shape);
  if (!bytes || Math.min(rows, columns) < 2 || Math.max(rows, columns) > LARGEST_SIDE) {
    const message = `Samples of ${rows} x ${columns} ${bytes ? 'bytes' : 'values'} cannot be augmented: leave --augment out, which is for images, in bytes, of 2 to ${LARGEST_SIDE} rows and columns.`;
    throw new DtrainError('USAGE', message);
  }
  return { amounts, shape };
}

/** `shift=0.07,rotate=10`, or `none`: as `--augment` takes it. */
export function augmentationText(amounts: Augmentation): string {
  const given = changes.filter((change) => amounts[change] > 0);
  return given.map((change) => `${change}=${amounts[change]}`).join(',') || 'none';
}
