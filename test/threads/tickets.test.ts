import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coveringNodes, leavesOf } from '../../src/reduce/tree.js';
import { ticketNodes } from '../../src/threads/tickets.js';

const jobs = fc
  .record({
    leaves: fc.integer({ min: 1, max: 200 }),
    threads: fc.integer({ min: 1, max: 9 }),
    level: fc.integer({ min: 0, max: 6 }),
    ends: fc.tuple(fc.nat(), fc.nat()),
  })
  .map(({ leaves, threads, level, ends: [one, other] }) => {
    const first = one % leaves;
    return {
      leaves,
      threads,
      most: 2 ** level,
      first,
      last: first + 1 + (other % (leaves - first)),
    };
  });

describe('the tickets of a range', () => {
  test('are its micro-batches, each once and in order, in nodes of no more than allowed', () => {
    fc.assert(
      fc.property(jobs, ({ first, last, leaves, threads, most }) => {
        const nodes = ticketNodes(first, last, leaves, threads, most);
        let at = first;
        for (const node of nodes) {
          const [from, to] = leavesOf(node, leaves);
          expect(from).toBe(at);
          expect(to - from).toBeLessThanOrEqual(most);
          at = to;
        }
        expect(at).toBe(last);
      }),
    );
  });

  test('lie within the nodes that the range is answered with', () => {
    fc.assert(
      fc.property(jobs, ({ first, last, leaves, threads, most }) => {
        const outputs = coveringNodes(first, last, leaves);
        for (const { level, index } of ticketNodes(first, last, leaves, threads, most)) {
          const above = outputs.filter(
            (output) =>
              output.level >= level &&
              Math.floor(index / 2 ** (output.level - level)) === output.index,
          );
          expect(above).toHaveLength(1);
        }
      }),
    );
  });

  test('are one for each thread where the batch divides so, and as large as allowed', () => {
    const sizes = (threads: number, most: number): number[] =>
      ticketNodes(0, 16, 16, threads, most).map(({ level }) => 2 ** level);
    expect(sizes(1, 32)).toEqual([16]);
    expect(sizes(2, 32)).toEqual([8, 8]);
    expect(sizes(4, 32)).toEqual([4, 4, 4, 4]);
    expect(sizes(1, 2)).toEqual(Array(8).fill(2));
    expect(sizes(16, 2)).toEqual(Array(16).fill(1));
  });
});
