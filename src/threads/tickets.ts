import { coveringNodes, rootLevel, type TreeNode } from '../reduce/tree.js';

/**
 * What the tickets of a job are for: the nodes that cover the micro-batches [first, last) of a
 * batch, cut so that each thread can have one and none is of more than `most` micro-batches.
 * @param most a power of two
 */
export function ticketNodes(
  first: number,
  last: number,
  leaves: number,
  threads: number,
  most: number,
): TreeNode[] {
  const share = Math.ceil((last - first) / threads);
  const highest = Math.min(rootLevel(most), Math.floor(Math.log2(share)));
  return coveringNodes(first, last, leaves).flatMap((node) => cut(node, highest, leaves));
}

/** The nodes of a level that are a higher node's leaves together. */
function cut({ level, index }: TreeNode, highest: number, leaves: number): TreeNode[] {
  if (level <= highest) return [{ level, index }];
  const within = 2 ** (level - highest);
  const beyond = Math.ceil(leaves / 2 ** highest);
  const from = index * within;
  const count = Math.min(within, beyond - from);
  return Array.from({ length: count }, (_, offset) => ({ level: highest, index: from + offset }));
}
