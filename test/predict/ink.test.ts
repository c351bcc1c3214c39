import { describe, expect, test } from 'vitest';
import {
  centred,
  type Grey,
  inkBox,
  inverted,
  isOnLight,
  stretched,
} from '../../src/predict/ink.js';

/** A grey image of rows of numbers. */
const image = (...rows: readonly (readonly number[])[]): Grey => ({
  rows: rows.length,
  columns: rows[0]?.length ?? 0,
  bytes: Uint8Array.from(rows.flat()),
});

describe("an image's background", () => {
  const paper = image([200, 190, 210, 10], [200, 20, 20, 200], [205, 200, 195, 200]);

  test('is what most of its border is', () => {
    expect(isOnLight(paper)).toBe(true);
    expect(isOnLight({ ...paper, bytes: inverted(paper.bytes) })).toBe(false);
  });

  test('becomes black, and the lightest pixel white', () => {
    const { bytes } = stretched(image([50, 50, 50], [50, 150, 40], [50, 100, 50]));
    expect([...bytes]).toEqual([0, 0, 0, 0, 255, 0, 0, 128, 0]);
    expect([...stretched(image([9, 9], [9, 9])).bytes]).toEqual([0, 0, 0, 0]);
  });
});

test('the ink is found by a box', () => {
  const box = inkBox(image([0, 0, 0, 0], [0, 0, 64, 0], [0, 255, 63, 0], [0, 0, 0, 0]));
  expect(box).toEqual({ top: 1, left: 1, bottom: 3, right: 3 });
  expect(inkBox(image([0, 63]))).toBeUndefined();
});

describe('centring', () => {
  test('puts the centre of mass where MNIST has it', () => {
    const bytes = centred(image([255]), 4, 6);
    expect(bytes.indexOf(255)).toBe(2 * 6 + 3);
    const heavy = centred(image([30, 0, 0, 0, 210]), 4, 10);
    expect([...heavy.subarray(20, 30)]).toEqual([0, 0, 30, 0, 0, 0, 210, 0, 0, 0]);
  });

  test('cuts off what does not fit, and takes an empty image', () => {
    expect([...centred(image(new Array<number>(7).fill(9)), 2, 4)].slice(4)).toEqual([9, 9, 9, 9]);
    expect([...centred(image([0]), 1, 3)]).toEqual([0, 0, 0]);
  });
});
