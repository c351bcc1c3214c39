import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeFrame, encodeFrame } from '../../src/protocol/frame.js';
import { coordinatorMessage, workerMessage } from '../../src/protocol/protocol.js';
import { coordinatorMessages, workerMessages } from './messages.js';

const payloads = fc.uint8Array({ maxLength: 300 });

describe('a frame', () => {
  test('comes back as it went: messages of workers', () => {
    fc.assert(
      fc.property(workerMessages, payloads, (message, payload) => {
        const frame = decodeFrame(workerMessage, encodeFrame(message, payload));
        expect(frame.message).toEqual(message);
        expect([...frame.payload]).toEqual([...payload]);
      }),
      { numRuns: 500 },
    );
  });

  test('comes back as it went: messages of coordinators', () => {
    fc.assert(
      fc.property(coordinatorMessages, payloads, (message, payload) => {
        const frame = decodeFrame(coordinatorMessage, encodeFrame(message, payload));
        // -0 and 0 are one number of a message.
        expect(JSON.stringify(frame.message)).toBe(JSON.stringify(message));
        expect([...frame.payload]).toEqual([...payload]);
      }),
      { numRuns: 300 },
    );
  });

  test('is the length of its header, the header, zeros up to a multiple of 4, and the payload', () => {
    fc.assert(
      fc.property(workerMessages, payloads, (message, payload) => {
        const frame = encodeFrame(message, payload);
        const header = 4 + frame.readUInt32LE(0);
        const start = frame.length - payload.length;
        expect(start % 4).toBe(0);
        expect(start - header).toBeGreaterThanOrEqual(0);
        expect(start - header).toBeLessThan(4);
        expect([...frame.subarray(header, start)].every((byte) => byte === 0)).toBe(true);
        expect([...frame.subarray(start)]).toEqual([...payload]);
      }),
    );
  });

  test('holds the parts of its payload one after the other', () => {
    fc.assert(
      fc.property(workerMessages, fc.array(payloads, { maxLength: 5 }), (message, parts) => {
        const whole = Buffer.concat(parts);
        expect(encodeFrame(message, ...parts).equals(encodeFrame(message, whole))).toBe(true);
      }),
    );
  });

  test('gives its payload as a view, not as a copy', () => {
    const frame = encodeFrame({ type: 'ready' }, Uint8Array.of(1, 2, 3, 4));
    const { payload } = decodeFrame(workerMessage, frame);
    expect(payload.buffer).toBe(frame.buffer);
    expect((payload.byteOffset - frame.byteOffset) % 4).toBe(0);
  });

  test('carries every float32 value with its bits', () => {
    const bits = Uint32Array.of(0, 0x8000_0000, 1, 0x7f7f_ffff, 0x7f80_0000, 0x7fc0_1234);
    const { payload } = decodeFrame(
      workerMessage,
      encodeFrame({ type: 'ready' }, new Uint8Array(bits.buffer)),
    );
    expect(new Uint32Array(Uint8Array.from(payload).buffer)).toEqual(bits);
  });
});
