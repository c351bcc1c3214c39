import type { CallSizes, Engine, Place, Surroundings, ThreadEngine } from './engine.js';
import { LANES } from './ir/types.js';

/** One micro-batch, or two that are neighbours in the tree where the engine has code for that. */
export function exactCallSizes(pairs: boolean): CallSizes {
  return { gradients: pairs ? 2 : 1, evaluate: 1 };
}

/**
 * An exact engine's kernels in a thread.
 * @param work where they work
 * @param pairWork where those for two micro-batches work
 */
export function exactThreadEngine(
  engine: Engine,
  { weights, table }: Surroundings,
  work: Place,
  pairWork: Place,
): ThreadEngine {
  return {
    gradients: ({ images, labels, indices, count }, piece, draws) => {
      if (count > LANES) {
        engine.gradientsOfPair?.(
          weights,
          images,
          labels,
          table,
          indices,
          count,
          pairWork,
          piece,
          draws,
        );
      } else {
        engine.gradients(weights, images, labels, table, indices, count, work, piece, draws);
      }
    },
    evaluate: ({ images, labels, indices, count }, out) => {
      engine.evaluate(weights, images, labels, table, indices, count, work, out);
    },
  };
}
