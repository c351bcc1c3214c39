/** Bytes by which a WebAssembly memory grows. */
export const PAGE = 65_536;

/** Says that kernel functions take places in one memory, in bytes from its start. */
export type Place = number;

/**
 * A compiled model at work in one memory: what every exact engine offers. `compile` in program.ts
 * says what each function computes.
 */
export interface Engine {
  gradients(...args: GradientPlaces): void;
  /**
   * Two micro-batches that are neighbours in the tree, and their sum: 16 indices, and `count` samples
   * of which the first 8 are the first one's. Only where it is faster than one after the other.
   */
  gradientsOfPair?(...args: GradientPlaces): void;
  evaluate(...args: [...SamplePlaces, out: Place]): void;
  add(left: Place, right: Place): void;
  update(weights: Place, piece: Place, state: Place, hyper: Place, check: Place): void;
}

export type SamplePlaces = [
  weights: Place,
  images: Place,
  labels: Place,
  table: Place,
  indices: Place,
  count: number,
  work: Place,
];

export type GradientPlaces = [...SamplePlaces, piece: Place, draws: Place];
