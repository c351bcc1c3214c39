/**
 * A node of a batch's reduction tree: the sum over micro-batches [index * 2^level, (index + 1) *
 * 2^level), as far as the batch has them. Leaves have level 0.
 *
 * The tree belongs to the batch: a node adds its left child's sum and its right child's, and a
 * node whose right child would start beyond the batch is its left child. So the sums are the same
 * float32 values whoever adds them (the shape is that of the Merkle trees of RFC 6962).
 */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/** Levels above the leaves: the root of `leaves` leaves is node 0 of this level. */
export function rootLevel(leaves: number): number {
  return leaves <= 1 ? 0 : 32 - Math.clz32(leaves - 1);
}

/** The most nodes that a range of a tree of `leaves` leaves is made of. */
export function mostNodes(leaves: number): number {
  return Math.max(1, 2 * rootLevel(leaves));
}

/** The leaves [first, last) of a node. */
export function leavesOf({ level, index }: TreeNode, leaves: number): [number, number] {
  const width = 2 ** level;
  return [index * width, Math.min((index + 1) * width, leaves)];
}

/** Nodes in order that together cover the leaves [first, last): the fewest there are. */
export function coveringNodes(first: number, last: number, leaves: number): TreeNode[] {
  const nodes: TreeNode[] = [];
  let at = first;
  while (at < last) {
    let level = 0;
    while (level < rootLevel(leaves) && fits(at, level + 1, last, leaves)) level += 1;
    nodes.push({ level, index: at / 2 ** level });
    at = Math.min(at + 2 ** level, leaves);
  }
  return nodes;
}

function fits(first: number, level: number, last: number, leaves: number): boolean {
  return first % 2 ** level === 0 && Math.min(first + 2 ** level, leaves) <= last;
}

/** What a node is added to next: its parent, its side, and whether it has a sibling at all. */
export function parentOf(
  { level, index }: TreeNode,
  leaves: number,
): { parent: TreeNode; side: 'left' | 'right'; alone: boolean } {
  const side = index % 2 === 0 ? 'left' : 'right';
  const alone = side === 'left' && (index + 1) * 2 ** level >= leaves;
  return { parent: { level: level + 1, index: Math.floor(index / 2) }, side, alone };
}
