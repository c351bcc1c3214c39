import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { DtrainError } from '../../src/errors.js';
import { decodeFrame, encodeFrame } from '../../src/protocol/frame.js';
import { coordinatorMessage, limits, workerMessage } from '../../src/protocol/protocol.js';
import { coordinatorMessages, workerMessages } from './messages.js';

const schemas = [workerMessage, coordinatorMessage];
const packr = new Packr({ useRecords: false });

/** A frame with these bytes as its header. */
function framed(header: Uint8Array): Buffer {
  const frame = Buffer.alloc(Math.ceil((4 + header.length) / 4) * 4);
  frame.writeUInt32LE(header.length, 0);
  frame.set(header, 4);
  return frame;
}

/** How a frame fares: the message's type, or the refusal. Fails for any other way. */
function outcome(frame: Buffer, schema: (typeof schemas)[number] = workerMessage): string {
  try {
    return decodeFrame<{ type: string }>(schema, frame).message.type;
  } catch (error) {
    if (!(error instanceof DtrainError)) throw error;
    expect(error.code).toBe('PROTOCOL');
    return error.message;
  }
}

const priced = { type: 'hello', protocol: 1, name: 'a', threads: 1 };
const stated = { perHour: '1', currency: 'EUR', minimumSeconds: 0, perGigabyte: '0' };

const refusal = /^A message could not be read: .*\.$/s;

describe('is refused:', () => {
  test('every frame that ends in its header', () => {
    fc.assert(
      fc.property(workerMessages, (message) => {
        const frame = encodeFrame(message);
        for (let length = 0; length < frame.length; length++) {
          expect(outcome(frame.subarray(0, length))).toMatch(refusal);
        }
      }),
    );
  });

  test('a header that says it is longer than a header may be', () => {
    for (const length of [limits.headerBytes + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      const frame = Buffer.alloc(limits.headerBytes + 64);
      frame.writeUInt32LE(length, 0);
      expect(outcome(frame)).toMatch(/its header is too long/);
    }
  });

  test('a header that says it is longer or shorter than it is', () => {
    const frame = encodeFrame(
      { type: 'pieces', step: 1, first: 2, last: 3, micros: 4 },
      Buffer.alloc(64),
    );
    const length = frame.readUInt32LE(0);
    for (const wrong of [0, 1, length - 1, length + 1, length + 20]) {
      frame.writeUInt32LE(wrong, 0);
      expect(outcome(frame), `${wrong} instead of ${length}`).toMatch(refusal);
    }
  });

  test.each([
    ['no message at all', null],
    ['a number', 7],
    ['a list', [{ type: 'ready' }]],
    ['no type', { step: 1 }],
    ['an unknown type', { type: 'reboot' }],
    ['a type that only the other side sends', { type: 'weights', step: 1 }],
    ['a type that is inherited', { type: 'constructor' }],
    ['an extra key', { type: 'ready', extra: 1 }],
    ['a missing key', { type: 'pieces', step: 1, first: 0 }],
    ['a number as text', { type: 'pieces', step: '1', first: 0, last: 1 }],
    ['a fraction', { type: 'pieces', step: 1.5, first: 0, last: 1 }],
    ['a negative number', { type: 'pieces', step: -1, first: 0, last: 1 }],
    ['a number of more than 32 bits', { type: 'pieces', step: 2 ** 32, first: 0, last: 1 }],
    ['a number of 64 bits', { type: 'pieces', step: 2n ** 63n, first: 0, last: 1 }],
    ['NaN', { type: 'pieces', step: NaN, first: 0, last: 1 }],
    ['infinity', { type: 'pieces', step: Infinity, first: 0, last: 1 }],
    ['true', { type: 'pieces', step: true, first: 0, last: 1 }],
    ['no threads', { type: 'hello', protocol: 1, name: 'a', threads: 0 }],
    ['too many threads', { type: 'hello', protocol: 1, name: 'a', threads: 257 }],
    ['a price that is no text', { ...priced, price: { ...stated, perHour: 1 } }],
    ['a price below zero', { ...priced, price: { ...stated, perHour: '-1' } }],
    ['a price in no currency', { ...priced, price: { ...stated, currency: 'euro' } }],
    ['a price for longer than a month', { ...priced, price: { ...stated, minimumSeconds: 1e9 } }],
    ['a price with more to it', { ...priced, price: { ...stated, tip: '1' } }],
    ['no name', { type: 'hello', protocol: 1, name: '', threads: 1 }],
    ['a name that is too long', { type: 'hello', protocol: 1, name: 'a'.repeat(65), threads: 1 }],
    ['a name of two lines', { type: 'hello', protocol: 1, name: 'a\nb', threads: 1 }],
    ['a name with an escape', { type: 'hello', protocol: 1, name: '\u001b[2J', threads: 1 }],
  ])('%s', (_, message) => {
    expect(outcome(framed(packr.pack(message)))).toMatch(refusal);
  });

  test('nesting deeper than in any message', () => {
    for (const depth of [100, 10_000, limits.headerBytes / 2]) {
      const list = new Uint8Array(depth).fill(0x91);
      const map = Uint8Array.from({ length: depth * 2 }, (__, at) => (at % 2 === 0 ? 0x81 : 0xa0));
      for (const header of [list, map]) {
        expect(outcome(framed(header)), `depth ${depth}`).toMatch(refusal);
      }
    }
  });

  test('lists and maps that claim more entries than there are bytes, at no cost', () => {
    for (const marker of [0xdd, 0xdf]) {
      const header = Buffer.alloc(limits.headerBytes - (limits.headerBytes % 5));
      for (let at = 0; at < header.length; at += 5) {
        header[at] = marker;
        header.writeUInt32BE(30_000_000, at + 1);
      }
      expect(outcome(framed(header))).toMatch(refusal);
    }
  });

  test('a message with a prototype', () => {
    const header = Buffer.concat([
      Buffer.from([0x82]),
      packr.pack('type'),
      packr.pack('ready'),
      packr.pack('__proto__'),
      packr.pack({ polluted: true }),
    ]);
    expect(outcome(framed(header))).toMatch(refusal);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('is read, or refused with PROTOCOL and nothing else:', () => {
  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const schema of schemas) outcome(Buffer.from(bytes), schema);
      }),
      { numRuns: 5000 },
    );
  });

  test('random bytes as a header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        for (const schema of schemas) expect(outcome(framed(bytes), schema)).toMatch(refusal);
      }),
      { numRuns: 5000 },
    );
  });

  test('a message in which some bytes are others', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.oneof(workerMessages, coordinatorMessages), damage, (message, bytes) => {
        const frame = encodeFrame(message, Uint8Array.of(1, 2, 3, 4));
        for (const [place, byte] of bytes) frame[place % frame.length] = byte;
        for (const schema of schemas) outcome(frame, schema);
      }),
      { numRuns: 5000 },
    );
  });

  test('any value that MessagePack can hold', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('type', 'step', 'name', '__proto__'));
    const values = fc.anything({ key, withBigInt: true, withDate: true, withSet: true });
    fc.assert(
      fc.property(values, (value) => {
        let header: Buffer;
        try {
          header = packr.pack(value);
        } catch {
          return;
        }
        for (const schema of schemas) expect(outcome(framed(header), schema)).toMatch(refusal);
      }),
      { numRuns: 2000 },
    );
  });
});

// A peer's bytes end up in the coordinator's terminal and in its log.
test('a refusal is one short line of plain text, whatever was sent', () => {
  for (const message of [
    { type: 'ready', 'x\u001b[2J\u0007\n\u202e': 1 },
    { type: 'ready', ['x'.repeat(200_000)]: 1 },
    { type: 'ready', ...Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i])) },
    { type: '\u001b[2J' },
  ]) {
    expect(outcome(encodeFrame(message))).toMatch(/^[\x20-\x7e]{1,300}$/);
  }
});

test('a frame is read as ever after any number of malformed ones', () => {
  const good = encodeFrame({ type: 'pieces', step: 1, first: 2, last: 3, micros: 4 });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
      outcome(framed(bytes));
      expect(outcome(good)).toBe('pieces');
    }),
    { numRuns: 1000 },
  );
});
