import { parentOf, rootLevel, type TreeNode } from './tree.js';

/**
 * Adds the pieces of one batch along its tree, in whatever order they come. T is where a piece's
 * values are kept.
 */
export class Reduction<T> {
  readonly #leaves: number;
  readonly #add: (left: T, right: T) => T;
  /** Pieces that wait for their sibling, by the parent that they share. */
  readonly #waiting = new Map<string, T>();
  #root: T | undefined;

  /** @param add the sum of two siblings; it takes both over */
  constructor(leaves: number, add: (left: T, right: T) => T) {
    this.#leaves = leaves;
    this.#add = add;
  }

  /** The sum over the whole batch, once every piece is there. */
  get root(): T | undefined {
    return this.#root;
  }

  /** Pieces that still wait for a sibling. */
  get waiting(): T[] {
    return [...this.#waiting.values()];
  }

  /** Takes a piece of nodes that no piece has covered before. */
  take(node: TreeNode, piece: T): void {
    let at = node;
    let sum = piece;
    while (at.level < rootLevel(this.#leaves)) {
      const { parent, side, alone } = parentOf(at, this.#leaves);
      if (!alone) {
        const key = `${parent.level}:${parent.index}`;
        const sibling = this.#waiting.get(key);
        if (sibling === undefined) {
          this.#waiting.set(key, sum);
          return;
        }
        this.#waiting.delete(key);
        sum = side === 'left' ? this.#add(sum, sibling) : this.#add(sibling, sum);
      }
      at = parent;
    }
    this.#root = sum;
  }
}
