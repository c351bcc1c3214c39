import { expect, test } from 'vitest';
import { FrameMemory, giveMemoryBack } from '../src/memory.js';

const FRAME = 250_000;

test('frames that are done with do not heap up', () => {
  const frames = new FrameMemory();
  let most = 0;
  for (let sent = FRAME; sent < 400e6; sent += FRAME) {
    Buffer.allocUnsafe(FRAME);
    most = Math.max(most, process.memoryUsage().arrayBuffers);
    frames.giveBack(sent);
  }
  expect(most).toBeLessThan(24 * 1024 * 1024);
});

test('what nobody uses any more is given back', () => {
  const before = process.memoryUsage().arrayBuffers;
  (() => new Uint8Array(50_000_000).fill(1).length)();
  giveMemoryBack();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
});
