/** Bytes by which a WebAssembly memory grows. */
export const PAGE = 65_536;

/** Says that kernel functions take places in one memory, in bytes from its start. */
export type Place = number;

/** Float32 values of an evaluated micro-batch: loss, correct answers, each lane's class. */
export const EVALUATION_ROW = 16;

/** Adds pieces up and takes the optimizer's step: the same bits whatever computes the gradients. */
export interface Updater {
  add(left: Place, right: Place): void;
  /** One of the `slicesOf` slices of the optimizer's step. */
  update(...args: [...UpdatePlaces, slice: number]): void;
}

type UpdatePlaces = [weights: Place, piece: Place, state: Place, hyper: Place, check: Place];

/** The whole of the optimizer's step, slice after slice. */
export function updateAll(updater: Updater, slices: number, ...places: UpdatePlaces): void {
  for (let slice = 0; slice < slices; slice++) updater.update(...places, slice);
}

/**
 * A compiled model at work in one memory: what every exact engine offers. `compile` in program.ts
 * says what each function computes.
 */
export interface Engine extends Updater {
  gradients(...args: GradientPlaces): void;
  /**
   * Two micro-batches that are neighbours in the tree, and their sum: 16 indices, and `count` samples
   * of which the first 8 are the first one's. Only where it is faster than one after the other.
   */
  gradientsOfPair?(...args: GradientPlaces): void;
  evaluate(...args: [...SamplePlaces, out: Place]): void;
}

type SamplePlaces = [
  weights: Place,
  images: Place,
  labels: Place,
  table: Place,
  indices: Place,
  count: number,
  work: Place,
];

export type GradientPlaces = [...SamplePlaces, piece: Place, draws: Place];

/** Samples that one call computes: `count` of them, whose numbers stand at `indices`. */
export interface SampleCall {
  readonly images: Place;
  readonly labels: Place;
  readonly indices: Place;
  readonly count: number;
}

/** What computes samples in one thread, exact or approximate. */
export interface ThreadEngine {
  /**
   * Sums the samples' gradients, losses and correct answers into a piece.
   * @param draws the words of DRAW_WORDS, for random numbers
   */
  gradients(samples: SampleCall, piece: Place, draws: Place): void;
  /** One row of `EVALUATION_ROW` values from `out` on for each micro-batch. */
  evaluate(samples: SampleCall, out: Place): void;
}

/** The most micro-batches that one call takes, each a power of two. */
export interface CallSizes {
  readonly gradients: number;
  readonly evaluate: number;
}

/** Where a thread's engine finds what does not change from call to call. */
export interface Surroundings {
  readonly memory: WebAssembly.Memory;
  readonly weights: Place;
  /** The float32 value of each byte of a sample. */
  readonly table: Place;
}
