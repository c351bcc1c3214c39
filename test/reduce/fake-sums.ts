import { coveringNodes, leavesOf, type TreeNode } from '../../src/reduce/tree.js';

/** The float32 values of one piece. */
export type Values = Float32Array;

export function added(left: Values, right: Values): Values {
  // Storing in a Float32Array rounds to float32.
  return left.map((value, index) => value + (right[index] ?? NaN));
}

/**
 * The sum that every way of computing must give: leaves [first, last) are cut behind the largest
 * power of two that is smaller than their number, as in RFC 6962. Uses nothing of src/reduce.
 */
export function referenceSum(leaves: readonly Values[]): Values {
  const [only] = leaves;
  if (only === undefined) throw new Error('There is nothing to sum.');
  if (leaves.length === 1) return only;
  let cut = 1;
  while (cut * 2 < leaves.length) cut *= 2;
  return added(referenceSum(leaves.slice(0, cut)), referenceSum(leaves.slice(cut)));
}

/** What a member that was given the micro-batches [first, last) answers. */
export function piecesOf(
  leaves: number,
  range: { readonly first: number; readonly last: number },
  leaf: (index: number) => Values,
): { node: TreeNode; values: Values }[] {
  return coveringNodes(range.first, range.last, leaves).map((node) => {
    const [from, to] = leavesOf(node, leaves);
    const values = Array.from({ length: to - from }, (_, index) => leaf(from + index));
    return { node, values: referenceSum(values) };
  });
}

/** Values of very different sizes and signs, so that float32 sums depend on the order. */
export function unevenValues(next: () => number, count: number): Values {
  return Float32Array.from({ length: count }, () => (next() - 0.5) * 2 ** Math.floor(8 * next()));
}

export function bits(values: Values): number[] {
  return [...new Uint32Array(values.slice().buffer)];
}
