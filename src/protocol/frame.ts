import { Packr, Unpackr } from 'msgpackr';
import type { z } from 'zod';
import { DtrainError } from '../errors.js';
import { limits } from './protocol.js';

/**
 * A frame: the header's length (32 bits, little-endian), the header (MessagePack), zeros up to a
 * multiple of 4, and the payload: float32 values or bytes, 4-byte aligned in the frame.
 */
export interface Frame<M> {
  readonly message: M;
  readonly payload: Uint8Array;
}

const packr = new Packr({ useRecords: false });
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });
const LENGTH_BYTES = 4;

/** A frame with the parts of its payload one after the other. */
export function encodeFrame(message: object, ...payload: readonly Uint8Array[]): Buffer {
  const header = packr.pack(message);
  let end = align(LENGTH_BYTES + header.length);
  const frame = Buffer.allocUnsafe(payload.reduce((sum, part) => sum + part.length, end));
  frame.writeUInt32LE(header.length, 0);
  frame.set(header, LENGTH_BYTES);
  frame.fill(0, LENGTH_BYTES + header.length, end);
  for (const part of payload) {
    frame.set(part, end);
    end += part.length;
  }
  return frame;
}

/**
 * Reads a frame and checks its message; the payload is a view of the frame.
 * @throws DtrainError PROTOCOL for anything that is not exactly such a message
 */
export function decodeFrame<M>(schema: z.ZodType<M>, frame: Buffer): Frame<M> {
  if (frame.length < LENGTH_BYTES) throw malformed('it is shorter than its own length field');
  const length = frame.readUInt32LE(0);
  const start = align(LENGTH_BYTES + length);
  if (length > limits.headerBytes) throw malformed('its header is too long');
  if (start > frame.length) throw malformed('its header is cut off');
  let header: unknown;
  try {
    header = unpackr.unpack(frame.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
  } catch (cause) {
    throw malformed('its header is not MessagePack', cause);
  }
  const checked = schema.safeParse(header);
  if (!checked.success) {
    // The schema's own words may hold the sender's, which belong on nobody's terminal.
    const path = checked.error.issues[0]?.path ?? [];
    throw malformed(`its ${['message', ...path].join('.')} is not one of the protocol's`);
  }
  return { message: checked.data, payload: frame.subarray(start) };
}

function align(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}

function malformed(why: string, cause?: unknown): DtrainError {
  return new DtrainError('PROTOCOL', `A message could not be read: ${why}.`, { cause });
}
