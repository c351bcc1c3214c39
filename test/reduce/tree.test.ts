import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  coveringNodes,
  leavesOf,
  mostNodes,
  parentOf,
  rootLevel,
  type TreeNode,
} from '../../src/reduce/tree.js';

/** A tree and a range of its leaves. */
const ranges = fc
  .integer({ min: 1, max: 200 })
  .chain((leaves) =>
    fc.tuple(fc.constant(leaves), fc.nat({ max: leaves - 1 }), fc.integer({ min: 1, max: leaves })),
  )
  .map(([leaves, a, b]) => ({ leaves, first: Math.min(a, b - 1), last: Math.max(a + 1, b) }));

/** The fewest nodes that cover each range, found by looking at all nodes there are. */
function fewestNodes(leaves: number, first: number, last: number): number {
  const nodes: [number, number][] = [];
  for (let level = 0; level <= rootLevel(leaves); level++) {
    for (let index = 0; index * 2 ** level < leaves; index++) {
      nodes.push(leavesOf({ level, index }, leaves));
    }
  }
  const fewest = new Map([[first, 0]]);
  for (let end = first + 1; end <= last; end++) {
    const counts = nodes
      .filter(([, to]) => to === end)
      .map(([from]) => (fewest.get(from) ?? Infinity) + 1);
    fewest.set(end, Math.min(...counts));
  }
  return fewest.get(last) ?? Infinity;
}

describe('coveringNodes', () => {
  test('covers the range exactly, in order', () => {
    fc.assert(
      fc.property(ranges, ({ leaves, first, last }) => {
        let next = first;
        for (const node of coveringNodes(first, last, leaves)) {
          const [from, to] = leavesOf(node, leaves);
          expect(from).toBe(next);
          expect(to).toBeGreaterThan(from);
          next = to;
        }
        expect(next).toBe(last);
      }),
      { numRuns: 1000 },
    );
  });

  test('takes the fewest nodes there are', () => {
    for (let leaves = 1; leaves <= 20; leaves++) {
      for (let first = 0; first < leaves; first++) {
        for (let last = first + 1; last <= leaves; last++) {
          const { length } = coveringNodes(first, last, leaves);
          const range = `[${first}, ${last}) of ${leaves}`;
          expect(length, range).toBe(fewestNodes(leaves, first, last));
          expect(length, range).toBeLessThanOrEqual(mostNodes(leaves));
        }
      }
    }
  });

  test('never takes more than mostNodes', () => {
    fc.assert(
      fc.property(ranges, ({ leaves, first, last }) => {
        expect(coveringNodes(first, last, leaves).length).toBeLessThanOrEqual(mostNodes(leaves));
      }),
      { numRuns: 1000 },
    );
  });

  test('covers the whole batch by its root', () => {
    for (let leaves = 1; leaves <= 200; leaves++) {
      expect(coveringNodes(0, leaves, leaves)).toEqual([{ level: rootLevel(leaves), index: 0 }]);
    }
  });

  test('covers nothing by nothing', () => {
    expect(coveringNodes(3, 3, 8)).toEqual([]);
  });
});

describe('the tree', () => {
  test('has the levels that its leaves need', () => {
    for (let leaves = 1; leaves <= 200; leaves++) {
      expect(2 ** rootLevel(leaves)).toBeGreaterThanOrEqual(leaves);
      expect(2 ** (rootLevel(leaves) - 1)).toBeLessThan(leaves);
    }
  });

  test('leads from every leaf to the root, through nodes that hold the ones before', () => {
    for (let leaves = 1; leaves <= 70; leaves++) {
      for (let leaf = 0; leaf < leaves; leaf++) {
        let node: TreeNode = { level: 0, index: leaf };
        while (node.level < rootLevel(leaves)) {
          const { parent, side, alone } = parentOf(node, leaves);
          const [from, to] = leavesOf(node, leaves);
          const [parentFrom, parentTo] = leavesOf(parent, leaves);
          expect(side === 'left' ? parentFrom : parentTo).toBe(side === 'left' ? from : to);
          expect(alone).toBe(parentFrom === from && parentTo === to);
          node = parent;
        }
        expect(leavesOf(node, leaves)).toEqual([0, leaves]);
      }
    }
  });
});
