import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseImages, parseLabels, uncompressed } from '../../src/data/idx.js';
import { dtrainError, idxImages, idxLabels, noise } from './helpers.js';

const origin = { path: '/data/file', advice: 'replace it' };

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('parseImages', () => {
  it('gives the sizes in the header and the pixels behind it', () => {
    const bytes = idxImages(3, 4, 5);
    const images = parseImages(bytes, origin);
    expect(images).toMatchObject({ count: 3, rows: 4, columns: 5 });
    expect(images.pixels).toEqual(noise(60, 3));
  });

  it('copies nothing, and gives no Buffer even if it was given one', () => {
    const bytes = Buffer.from(idxImages(3, 4, 5));
    const { pixels } = parseImages(bytes, origin);
    expect(pixels.buffer).toBe(bytes.buffer);
    expect(Buffer.isBuffer(pixels)).toBe(false);
  });

  it('names the file and both sizes if it is truncated or has trailing bytes', () => {
    const bytes = idxImages(3, 4, 5);
    expect(caught(() => parseImages(bytes.subarray(0, 75), origin))).toEqual(
      dtrainError('DATA_DAMAGED', '/data/file is truncated', '76', '75', 'replace it'),
    );
    expect(caught(() => parseImages(Buffer.concat([bytes, noise(1)]), origin))).toEqual(
      dtrainError('DATA_DAMAGED', '/data/file has trailing bytes', '76', '77', 'replace it'),
    );
  });

  it('is not misled by a header with absurd sizes', () => {
    const bytes = idxImages(1, 1, 1);
    bytes.fill(0xff, 4, 16);
    expect(caught(() => parseImages(bytes, origin))).toEqual(
      dtrainError('DATA_DAMAGED', 'is truncated'),
    );
  });

  it('refuses a file of labels, naming both magic numbers', () => {
    expect(caught(() => parseImages(idxLabels([1, 2]), origin))).toEqual(
      dtrainError('DATA_DAMAGED', '/data/file', 'images', '0x00000801', '0x00000803'),
    );
  });

  it.each([0, 3, 4, 15])('refuses a file of %i bytes, less than a header', (length) => {
    const bytes = idxImages(1, 1, 1).subarray(0, length);
    expect(caught(() => parseImages(bytes, origin))).toEqual(
      dtrainError('DATA_DAMAGED', 'is truncated', String(length)),
    );
  });
});

describe('parseLabels', () => {
  it('gives the labels behind the header', () => {
    expect(parseLabels(idxLabels([0, 9, 5]), origin, 10)).toEqual(Uint8Array.of(0, 9, 5));
  });

  it('names a label that is not below the number of classes, and its sample', () => {
    expect(caught(() => parseLabels(idxLabels([0, 9, 10]), origin, 10))).toEqual(
      dtrainError('DATA_DAMAGED', '/data/file', 'label 10', 'sample 2', '0 to 9'),
    );
  });

  it('refuses a file of images, and one of another size than its header says', () => {
    const bytes = idxLabels([1, 2, 3]);
    for (const wrong of [idxImages(1, 1, 1), bytes.subarray(0, 10), Buffer.concat([bytes, bytes])])
      expect(caught(() => parseLabels(wrong, origin, 10))).toEqual(dtrainError('DATA_DAMAGED'));
  });
});

describe('uncompressed', () => {
  const content = noise(1000);

  it('unpacks gzip and leaves all else as it is', async () => {
    expect(await uncompressed(gzipSync(content), origin, 1000)).toEqual(content);
    expect(await uncompressed(content, origin, 1000)).toBe(content);
    expect(await uncompressed(new Uint8Array(0), origin, 1000)).toEqual(new Uint8Array(0));
  });

  it('names the file if the gzip data is truncated or altered', async () => {
    const zip = gzipSync(content);
    const altered = Buffer.from(zip);
    altered.writeUInt8(altered.readUInt8(500) ^ 1, 500);
    for (const wrong of [zip.subarray(0, 500), altered]) {
      await expect(uncompressed(wrong, origin, 1000)).rejects.toEqual(
        dtrainError('DATA_DAMAGED', '/data/file', 'gzip', 'replace it'),
      );
    }
  });

  it('does not unpack more than it was allowed to', async () => {
    const bomb = gzipSync(new Uint8Array(1001));
    await expect(uncompressed(bomb, origin, 1000)).rejects.toEqual(
      dtrainError('DATA_DAMAGED', '/data/file', 'more than the 1000 bytes'),
    );
  });
});
