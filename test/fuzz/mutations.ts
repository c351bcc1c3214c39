import { Packr } from 'msgpackr';
import { limits } from '../../src/protocol/protocol.js';
import type { Dice } from '../sim/dice.js';
import { pick } from './seed.js';
import { strangeHeaders, strangeKeys, strangeValues } from './values.js';

type Entry = readonly [key: unknown, value: unknown];

const packr = new Packr({ useRecords: false, moreTypes: true });
const NOTHING: Uint8Array = new Uint8Array();

/** A frame by hand: nothing about it need be true. */
export function frameOf(header: Uint8Array, payload = NOTHING, length = header.length): Buffer {
  const start = Buffer.alloc(4);
  start.writeUInt32LE(length >>> 0);
  const padding = Buffer.alloc((4 - ((4 + header.length) % 4)) % 4);
  return Buffer.concat([start, header, padding, payload]);
}

/**
 * A map of MessagePack whose keys may be of any type, and come twice.
 * @param last a key and a value that are encoded already
 */
export function headerOf(entries: readonly Entry[], last?: Buffer): Buffer {
  const count = entries.length + (last ? 1 : 0);
  const start = Buffer.of(0xde, count >> 8, count & 0xff);
  const middle = entries.flat().map((value) => packed(value));
  return Buffer.concat([start, ...middle, ...(last ? [last] : [])]);
}

// The packer's own buffer is used again for the next value.
function packed(value: unknown): Buffer {
  return Buffer.from(packr.pack(value));
}

/** A real message with something wrong: its fields, their encoding, or the frame around it. */
export function spoilt(dice: Dice, message: object, payload = NOTHING): Buffer {
  const what = dice.next();
  if (what < 0.6) return frameOf(headerOf(spoiltEntries(dice, message)), payload);
  const header = headerOf(Object.entries(message));
  if (what < 0.8) return frameOf(spoiltBytes(dice, header), payload);
  return spoiltLayout(dice, header, payload);
}

/** Fields changed, deleted, added, given twice, in another order. */
function spoiltEntries(dice: Dice, message: object): Entry[] {
  const entries: Entry[] = Object.entries(message);
  for (let times = dice.whole(1, 2); times > 0; times--) {
    const at = dice.whole(0, entries.length - 1);
    const [key] = entries[at] ?? ['type'];
    switch (dice.whole(0, 4)) {
      case 0:
        entries.splice(at, 1);
        break;
      case 1:
        entries.push([pick(dice, strangeKeys), pick(dice, strangeValues)]);
        break;
      case 2:
        entries.push([key, pick(dice, strangeValues)]);
        break;
      default:
        entries[at] = [key, pick(dice, strangeValues)];
    }
  }
  return dice.chance(0.2) ? entries.reverse() : entries;
}

/** Cut off, drawn out, or with some bits turned. */
export function spoiltBytes(dice: Dice, bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  if (dice.chance(0.2)) return copy.subarray(0, dice.whole(0, copy.length - 1));
  if (dice.chance(0.2)) return Buffer.concat([copy, noise(dice, dice.whole(1, 40))]);
  for (let turns = dice.whole(1, 4); turns > 0; turns--) {
    const at = dice.whole(0, copy.length - 1);
    copy[at] = (copy[at] ?? 0) ^ (1 << dice.whole(0, 7));
  }
  return copy;
}

/** A length of the header that lies, or a frame that ends too soon. */
function spoiltLayout(dice: Dice, header: Uint8Array, payload: Uint8Array): Buffer {
  if (dice.chance(0.3)) {
    const frame = frameOf(header, payload);
    return frame.subarray(0, dice.whole(0, Math.min(frame.length, header.length + 8)));
  }
  const real = header.length;
  const lengths = [
    ...[real - 1, real + 1, real + 4, 0, 1, real + payload.length, limits.headerBytes],
    ...[limits.headerBytes + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32 - 4],
  ];
  return frameOf(header, payload, pick(dice, lengths));
}

/** A frame that was never a message. */
export function nonsense(dice: Dice): Buffer {
  if (dice.chance(0.5)) return frameOf(pick(dice, strangeHeaders));
  return noise(dice, dice.whole(0, 300));
}

export function noise(dice: Dice, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => dice.whole(0, 255)));
}
