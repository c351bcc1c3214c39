import type { TreeNode } from '../reduce/tree.js';

/** Tickets for the micro-batches [first, last): one each, or one for two with a common parent. */
export function ticketsOf(first: number, last: number, pairs: boolean): number {
  return pairs ? Math.ceil(last / 2) - Math.floor(first / 2) : last - first;
}

/** What a ticket of the micro-batches [first, last) is for. */
export interface TicketWork {
  /** Its first micro-batch, and whether the one after it belongs to it. */
  readonly leaf: number;
  readonly pair: boolean;
  /** What it makes the sum of. */
  readonly node: TreeNode;
}

export function workOf(ticket: number, first: number, last: number, pairs: boolean): TicketWork {
  if (!pairs) return single(first + ticket);
  const index = Math.floor(first / 2) + ticket;
  if (2 * index < first) return single(first);
  if (2 * index + 1 >= last) return single(2 * index);
  return { leaf: 2 * index, pair: true, node: { level: 1, index } };
}

function single(leaf: number): TicketWork {
  return { leaf, pair: false, node: { level: 0, index: leaf } };
}
