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
export const usualAmounts: Augmentation = { shift: 0.07, rotate: 10, scale: 0.1, elastic: 0.1 };

/** The most there may be of each; a larger one leaves too little of an image. */
export const largestAmounts: Augmentation = { shift: 0.5, rotate: 180, scale: 0.5, elastic: 0.5 };

export const changes = Object.keys(NO_AUGMENTATION) as readonly Change[];

/** Rows and columns of an image that can be augmented. */
export const LARGEST_SIDE = 4096;

export function augments(amounts: Augmentation): boolean {
  return changes.some((change) => amounts[change] > 0);
}

/** `shift=0.07,rotate=10`, or `none`: as `--augment` takes it. */
export function augmentationText(amounts: Augmentation): string {
  const given = changes.filter((change) => amounts[change] > 0);
  return given.map((change) => `${change}=${amounts[change]}`).join(',') || 'none';
}
