import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../../coordinator/checkpoint/file.js';
import { sha256 } from '../../../src/sha256.js';
import { dtrainError } from '../../data/helpers.js';
import { Dice } from '../../sim/dice.js';
import { checkpointOf } from './checkpoints.js';

const HEADER_AT = 16;
const SUM_BYTES = 32;
const MISMATCH = 'step.ckpt is damaged: its checksum does not match.';

/** What reading `bytes` fails with; undefined if it does not. */
function complaint(bytes: Uint8Array): string | undefined {
  try {
    decodeCheckpoint(bytes, 'step.ckpt');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What reading `bytes` with one bit turned over fails with. */
function complaintWithout(bytes: Uint8Array, bit: number): string | undefined {
  const turn = (): void => {
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  };
  turn();
  const result = complaint(bytes);
  turn();
  return result;
}

/** The file with its header's text changed, or any other byte, and a sum that fits. */
function forged(change: { header?: (text: string) => string; bytes?: (bytes: Buffer) => void }) {
  const file = Buffer.from(encodeCheckpoint(checkpointOf(938)));
  const length = file.readUInt32LE(12);
  const values = file.subarray(Math.ceil((HEADER_AT + length) / 4) * 4, -SUM_BYTES);
  const text = file.toString('utf8', HEADER_AT, HEADER_AT + length);
  const header = Buffer.from(change.header?.(text) ?? text);
  const padding = Buffer.alloc(-(HEADER_AT + header.length) & 3);
  const body = Buffer.concat([file.subarray(0, HEADER_AT), header, padding, values]);
  body.writeUInt32LE(header.length, 12);
  change.bytes?.(body);
  return Buffer.concat([body, Buffer.from(sha256(body), 'hex')]);
}

describe('a checkpoint that is read is the one that was written', () => {
  test('whatever its values, and its name in the header', () => {
    const floats = fc.float32Array({ noNaN: true, maxLength: 40 });
    fc.assert(
      fc.property(floats, floats, fc.string({ unit: 'grapheme' }), (weights, state, run) => {
        const sizes = { parameters: weights.length, stateValues: state.length };
        const checkpoint = checkpointOf(938, sizes);
        const written = { meta: { ...checkpoint.meta, run }, weights, state };
        expect(decodeCheckpoint(encodeCheckpoint(written), 'file')).toEqual(written);
      }),
      { seed: 1 },
    );
  });

  test('wherever its bytes lie in memory', () => {
    const bytes = encodeCheckpoint(checkpointOf(1));
    const within = Buffer.concat([Buffer.from('x'), bytes]).subarray(1);
    expect(decodeCheckpoint(within, 'file')).toEqual(checkpointOf(1));
  });

  test('whatever happens to the bytes afterwards', () => {
    const bytes = encodeCheckpoint(checkpointOf(1));
    const read = decodeCheckpoint(bytes, 'file');
    bytes.fill(0xff);
    expect(read).toEqual(checkpointOf(1));
  });

  test('without the settings that have no value', () => {
    const { meta, ...values } = checkpointOf(1);
    const config = { ...meta.config, out: undefined };
    const bytes = encodeCheckpoint({ ...values, meta: { ...meta, config } });
    expect(Object.keys(decodeCheckpoint(bytes, 'file').meta.config)).not.toContain('out');
  });
});

test('the format is the one that is documented', () => {
  const { meta, weights, state } = checkpointOf(938);
  const file = Buffer.from(encodeCheckpoint({ meta, weights, state }));
  const length = file.readUInt32LE(12);
  const values = Math.ceil((HEADER_AT + length) / 4) * 4;
  expect(file.toString('latin1', 0, 8)).toBe('dtrainck');
  expect(file.readUInt32LE(8)).toBe(1);
  expect(JSON.parse(file.toString('utf8', HEADER_AT, HEADER_AT + length))).toEqual(meta);
  const stored = Array.from({ length: 60 }, (_, index) => file.readFloatLE(values + 4 * index));
  expect(stored).toEqual([...weights, ...state]);
  expect(file.length).toBe(values + 4 * 60 + SUM_BYTES);
  expect(file.toString('hex', values + 4 * 60)).toBe(sha256(file.subarray(0, values + 4 * 60)));
});

describe('damage is found before anything is believed', () => {
  const small = encodeCheckpoint(checkpointOf(938));

  test('any single bit of a small file', () => {
    expect(complaint(small)).toBeUndefined();
    const found = Array.from({ length: 8 * small.length }, (_, bit) =>
      complaintWithout(small, bit),
    );
    expect(new Set(found)).toEqual(new Set([MISMATCH]));
  });

  test("1,000 bits over all regions of a file of LeNet-5's size", () => {
    const file = Buffer.from(
      encodeCheckpoint(checkpointOf(938, { parameters: 61_706, stateValues: 61_706 })),
    );
    const values = Math.ceil((HEADER_AT + file.readUInt32LE(12)) / 4) * 4;
    const starts = [0, 8, 12, HEADER_AT, values, values + 4 * 61_706, file.length - SUM_BYTES];
    const dice = new Dice(1);
    const flips = Array.from({ length: 1000 }, (_, index) => {
      const region = index % starts.length;
      const [from = 0, end = file.length] = starts.slice(region, region + 2);
      return dice.whole(8 * from, 8 * end - 1);
    });
    expect(new Set(flips.map((bit) => complaintWithout(file, bit)))).toEqual(new Set([MISMATCH]));
    expect(complaint(file)).toBeUndefined();
  });

  test('any truncation', () => {
    for (let length = 0; length < small.length; length++) {
      const expected = length < 48 ? `it has only ${length} bytes` : 'its checksum does not match';
      expect(complaint(small.subarray(0, length))).toBe(`step.ckpt is damaged: ${expected}.`);
    }
  });

  test.each([1, 3, 4, 32, 1000])('%i bytes more, zeros or others', (more) => {
    for (const byte of [0, 0xa5]) {
      expect(complaint(Buffer.concat([small, Buffer.alloc(more, byte)]))).toBe(MISMATCH);
    }
  });

  test('the file twice', () => {
    expect(complaint(Buffer.concat([small, small]))).toBe(MISMATCH);
  });
});

describe('a sound file that cannot be used says why', () => {
  test.each([0, 2, 0xffffffff])('version %i', (version) => {
    const file = forged({ bytes: (bytes) => bytes.writeUInt32LE(version, 8) });
    expect(complaint(file)).toBe('step.ckpt was written by another version of dtrain.');
  });

  test('one that is forged in nothing is taken', () => {
    expect(complaint(forged({}))).toBeUndefined();
  });

  const forgeries: readonly [why: string, file: Buffer][] = [
    ['does not begin as', forged({ bytes: (bytes) => bytes.fill('x', 0, 1) })],
    ['header is longer', forged({ bytes: (bytes) => bytes.writeUInt32LE(0xffffffff, 12) })],
    ['header is longer', forged({ bytes: (bytes) => bytes.writeUInt32LE(bytes.length - 15, 12) })],
    ['not valid JSON', forged({ header: (text) => text.slice(1) })],
    ['step is missing', forged({ header: (text) => text.replace('"step":938,', '') })],
    ['step', forged({ header: (text) => text.replace(':938,', ':-938,') })],
    ['step', forged({ header: (text) => text.replace(':938,', ':938.5,') })],
    ['unknown field "extra"', forged({ header: (text) => text.replace('{', '{"extra":1,') })],
    ['values take 240 bytes, not 244', forged({ header: (text) => text.replace(':40', ':41') })],
    [
      'values take 240 bytes',
      forged({ header: (text) => text.replace(':20,', ':9007199254740991,') }),
    ],
  ];
  test.each(forgeries)('%s', (why, file) => {
    expect(() => decodeCheckpoint(file, 'step.ckpt')).toThrow(
      dtrainError('CHECKPOINT', 'step.ckpt is damaged: ', why),
    );
  });
});

describe('what could not be read is not written', () => {
  const { meta, weights, state } = checkpointOf(938);

  test('other counts than there are values', () => {
    const fewer = weights.subarray(1);
    expect(() => encodeCheckpoint({ meta, weights: fewer, state })).toThrow(/39 weights.* for 40/);
    expect(() => encodeCheckpoint({ meta, weights, state: fewer })).toThrow(/39 values.* and 20/);
  });

  test('a loss that is not a number', () => {
    const { progress } = meta;
    const epoch = { ...progress.epoch, loss: NaN };
    const broken = { ...meta, progress: { ...progress, epoch } };
    expect(() => encodeCheckpoint({ meta: broken, weights, state })).toThrow(/progress.epoch.loss/);
  });
});
