import { describe, expect, test } from 'vitest';
import { lenet5 } from '../../src/model/lenet5.js';
import { buildModel } from '../../src/model/model.js';
import { encodeFrame } from '../../src/protocol/frame.js';
import {
  largestCoordinatorFrame,
  largestWorkerFrame,
  limits,
  pieceBytes,
  PROTOCOL_VERSION,
} from '../../src/protocol/protocol.js';
import { coveringNodes } from '../../src/reduce/tree.js';

describe('the largest frame', () => {
  test('of a worker holds the pieces of any range', () => {
    const { parameterCount } = buildModel(lenet5);
    for (let microBatches = 1; microBatches <= 70; microBatches++) {
      const most = largestWorkerFrame(parameterCount, microBatches);
      for (let first = 0; first < microBatches; first++) {
        for (let last = first + 1; last <= microBatches; last++) {
          const nodes = coveringNodes(first, last, microBatches).length;
          const header = encodeFrame({ type: 'pieces', step: 2 ** 32 - 1, first, last });
          expect(header.length + nodes * pieceBytes(parameterCount)).toBeLessThanOrEqual(most);
        }
      }
    }
  });

  test('of a coordinator holds the weights of the largest model and the largest module', () => {
    const weights = 64 * 1024 * 1024 * 4;
    expect(largestCoordinatorFrame).toBeGreaterThanOrEqual(weights + 64);
    expect(largestCoordinatorFrame).toBeGreaterThanOrEqual(limits.moduleBytes + limits.headerBytes);
  });
});

test('the first frame of a worker has room for the longest hello', () => {
  const name = 'x'.repeat(64);
  const hello = {
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    name,
    threads: 256,
    engine: 'tfjs-node',
  };
  expect(encodeFrame(hello).length).toBeLessThan(limits.helloBytes);
});

test('a message has room for the most shards there may be', () => {
  const shard = { sha256: 'f'.repeat(64), count: 2 ** 32 - 1 };
  const welcome = { shards: Array.from({ length: limits.shards }, () => shard) };
  expect(encodeFrame(welcome).length).toBeLessThan(limits.headerBytes / 2);
});
