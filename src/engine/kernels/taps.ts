import type { KernelBuilder } from '../ir/builder.js';
import { intAdd, intDiv, intMax, intMin, intRem, intSub } from '../ir/expressions.js';
import type { Expr, Variable } from '../ir/types.js';

export interface Taps {
  readonly first: Variable<'int'>;
  readonly end: Variable<'int'>;
  /** The output that the first tap reaches; each further tap reaches the one before. */
  readonly output: Expr<'int'>;
}

/**
 * The taps t of one axis for which (cell - t) / stride is an output, from the first on in steps
 * of the stride. `cell` counts from the border's edge.
 */
export function reachingTaps(
  k: KernelBuilder,
  cell: Expr<'int'>,
  size: number,
  stride: number,
  outputs: number,
): Taps {
  const position = k.let(cell);
  const first = k.let(intMax(intSub(position, stride * (outputs - 1)), intRem(position, stride)));
  const end = k.let(intMin(intAdd(position, 1), size));
  return { first, end, output: intDiv(intSub(position, first), stride) };
}
