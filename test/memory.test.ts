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

/** Large, and used by nobody once this is over. */
function unused(): WeakRef<Uint8Array> {
  return new WeakRef(new Uint8Array(50_000_000));
}

test('what nobody uses any more is given back', async () => {
  const reference = unused();
  // A weak reference holds what it refers to until the job in which it was made is over.
  await new Promise(setImmediate);
  expect(reference.deref() === undefined).toBe(false);
  await new Promise(setImmediate);
  giveMemoryBack();
  // Its content is not for a report.
  expect(reference.deref() === undefined).toBe(true);
});
