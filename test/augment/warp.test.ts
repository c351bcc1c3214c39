import { describe, expect, test } from 'vitest';
import { type Affine, PIXEL } from '../../src/augment/affine.js';
import { Warp } from '../../src/augment/warp.js';
import { randomNumbers } from '../reference/random.js';

const ROWS = 9;
const COLUMNS = 12;
const still: Affine = {
  row: 0,
  rowByRow: PIXEL,
  rowByColumn: 0,
  column: 0,
  columnByRow: 0,
  columnByColumn: PIXEL,
};

function randomImage(bytes: number): Uint8Array {
  const next = randomNumbers(bytes);
  return Uint8Array.from({ length: bytes }, () => 256 * next());
}

/** The image as it becomes; it stands in the middle of other bytes, which must stay. */
function warped(
  image: Uint8Array,
  change: Partial<Affine>,
  channels = 1,
  [rows, columns] = [ROWS, COLUMNS],
): Uint8Array {
  const { length } = image;
  const bytes = new Uint8Array(3 * length + 20).fill(77);
  bytes.set(image, 10);
  new Warp(rows, columns, channels).run(bytes, 10, 2 * length, { ...still, ...change }, undefined);
  expect([...bytes.subarray(0, 10), ...bytes.subarray(3 * length)]).toEqual(new Array(30).fill(77));
  expect(bytes.subarray(10, 10 + length)).toEqual(image);
  return bytes.slice(2 * length, 3 * length);
}

describe('an image', () => {
  const image = randomImage(ROWS * COLUMNS);
  const at = (row: number, column: number): number => {
    const inside = (value: number, last: number): number => Math.min(Math.max(value, 0), last);
    return image[inside(row, ROWS - 1) * COLUMNS + inside(column, COLUMNS - 1)] ?? NaN;
  };
  const expected = (pixel: (row: number, column: number) => number): Uint8Array =>
    Uint8Array.from({ length: image.length }, (_, place) =>
      pixel(Math.floor(place / COLUMNS), place % COLUMNS),
    );

  test('stays what it is if nothing moves', () => {
    expect(warped(image, {})).toEqual(image);
  });

  test('goes on beyond its border with its outermost pixels', () => {
    const shifted = warped(image, { row: -2 * PIXEL, column: 3 * PIXEL });
    expect(shifted).toEqual(expected((row, column) => at(row - 2, column + 3)));
    const far = warped(image, { row: 100 * PIXEL, column: -100 * PIXEL });
    expect(far).toEqual(expected(() => at(ROWS, 0)));
  });

  test('is interpolated bilinearly, rounded to the nearest byte', () => {
    const [dy, dx] = [0.25, 0.75];
    const between = warped(image, { row: dy * PIXEL, column: dx * PIXEL });
    const pixel = (row: number, column: number): number => {
      const line = (of: number): number => at(of, column) * (1 - dx) + at(of, column + 1) * dx;
      return Math.floor(line(row) * (1 - dy) + line(row + 1) * dy + 0.5);
    };
    expect(between).toEqual(expected(pixel));
  });

  test('turns by a quarter', () => {
    const square = image.subarray(0, 81);
    const turn = {
      ...{ row: 0, rowByRow: 0, rowByColumn: PIXEL },
      ...{ column: 8 * PIXEL, columnByRow: -PIXEL, columnByColumn: 0 },
    };
    const turned = warped(square, turn, 1, [9, 9]);
    const place = (row: number, column: number): number => 9 * column + 8 - row;
    const wanted = square.map((_, to) => square[place(Math.floor(to / 9), to % 9)] ?? NaN);
    expect(turned).toEqual(wanted);
  });

  test('of several channels is as many images of one', () => {
    const color = randomImage(3 * ROWS * COLUMNS);
    const change = { row: 40_000, column: -50_000, rowByColumn: 9_000, columnByRow: -9_000 };
    const together = warped(color, change, 3);
    for (const channel of [0, 1, 2]) {
      const own = (bytes: Uint8Array): Uint8Array => bytes.filter((_, at) => at % 3 === channel);
      expect(own(together)).toEqual(warped(own(color), change));
    }
  });
});
