import { permutation } from '../random/permutation.js';

/** Which samples a run trains on: `count` of the data set's, after `validation` are held out. */
export interface TrainingOrder {
  readonly seed: number;
  /** Samples in the data set's training split. */
  readonly samples: number;
  /** Samples held out of it. */
  readonly validation: number;
}

/** The held-out samples and the rest, each as places in the training split. */
export interface HoldOut {
  readonly training: Uint32Array;
  readonly validation: Uint32Array;
}

/** Draws the validation split; without one, the training samples keep their own order. */
export function holdOut({ seed, samples, validation }: TrainingOrder): HoldOut {
  const all = Uint32Array.from({ length: samples }, (_, index) => index);
  if (validation === 0) return { training: all, validation: new Uint32Array() };
  const drawn = all.map(permutation(samples, seed, 'validationSplit', 0));
  return { training: drawn.subarray(validation), validation: drawn.subarray(0, validation) };
}

/** Which of `count` training samples stands in each place of an epoch (from 0). */
export function epochOrder(count: number, seed: number, epoch: number): (place: number) => number {
  return permutation(count, seed, 'epochOrder', epoch);
}
