import { expect, test } from 'vitest';
import { FrameMemory } from '../src/frame-memory.js';

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
