import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Reduction } from '../../src/reduce/reduction.js';
import { coveringNodes } from '../../src/reduce/tree.js';
import { randomNumbers } from '../reference/random.js';
import { added, bits, piecesOf, referenceSum, unevenValues, type Values } from './fake-sums.js';

const WIDTH = 4;

function randomLeaves(count: number, seed: number): Values[] {
  const next = randomNumbers(seed);
  return Array.from({ length: count }, () => unevenValues(next, WIDTH));
}

/** `items` in an order that follows from `next`. */
function shuffled<T>(items: readonly T[], next: () => number): T[] {
  return items
    .map((item) => ({ item, key: next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** [0, count) cut at random into ranges. */
function randomRanges(count: number, next: () => number): { first: number; last: number }[] {
  const often = next();
  const cuts = [0];
  for (let at = 1; at < count; at++) if (next() < often) cuts.push(at);
  return cuts.map((first, index) => ({ first, last: cuts[index + 1] ?? count }));
}

/** The sum of the ranges' pieces, which come in any order. */
function delivered(leaves: readonly Values[], next: () => number): Values | undefined {
  const reduction = new Reduction<Values>(leaves.length, added);
  const pieces = randomRanges(leaves.length, next).flatMap((range) =>
    piecesOf(leaves.length, range, (index) => leaves[index] ?? new Float32Array()),
  );
  const order = shuffled(pieces, next);
  order.forEach(({ node, values }, index) => {
    expect(reduction.root, `after ${index} of ${order.length} pieces`).toBeUndefined();
    reduction.take(node, values);
  });
  expect(reduction.waiting).toEqual([]);
  return reduction.root;
}

describe('any split among members, delivered in any order, gives the bits of one thread', () => {
  test('for every number of micro-batches up to 200', () => {
    for (let count = 1; count <= 200; count++) {
      const leaves = randomLeaves(count, count);
      const expected = bits(referenceSum(leaves));
      for (let split = 0; split < 3; split++) {
        const sum = delivered(leaves, randomNumbers(1000 * count + split));
        expect(sum && bits(sum), `${count} micro-batches, split ${split}`).toEqual(expected);
      }
    }
  });

  test('for any seeds', () => {
    const seed = fc.integer();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), seed, seed, (count, values, order) => {
        const leaves = randomLeaves(count, values);
        const sum = delivered(leaves, randomNumbers(order));
        expect(sum && bits(sum)).toEqual(bits(referenceSum(leaves)));
      }),
      { numRuns: 500 },
    );
  });

  // Without this, the tests above could not fail.
  test('with values whose plain sum is another one', () => {
    let differ = 0;
    for (let count = 4; count <= 200; count++) {
      const leaves = randomLeaves(count, count);
      const plain = leaves.reduce(added);
      if (String(bits(plain)) !== String(bits(referenceSum(leaves)))) differ += 1;
    }
    expect(differ).toBeGreaterThan(190);
  });
});

test('adds the left piece to the right one, whichever came first', () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
  ]) {
    const reduction = new Reduction<string>(3, (left, right) => `(${left}+${right})`);
    for (const leaf of order) reduction.take({ level: 0, index: leaf }, String(leaf));
    expect(reduction.root).toBe('((0+1)+2)');
  }
});

test('says which pieces still wait for their sibling', () => {
  const reduction = new Reduction<string>(8, (left, right) => `(${left}+${right})`);
  for (const [first, last] of [
    [0, 3],
    [6, 8],
  ] as const) {
    for (const node of coveringNodes(first, last, 8)) reduction.take(node, `${first}-${last}`);
  }
  expect(reduction.root).toBeUndefined();
  expect(reduction.waiting).toEqual(['0-3', '0-3', '6-8']);
});
