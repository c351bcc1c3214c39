import { describe, expect, test } from 'vitest';
import { type Affine, drawAffine, PIXEL } from '../../src/augment/affine.js';
import { type Augmentation, NO_AUGMENTATION } from '../../src/augment/augmentation.js';
import { randomWords } from '../../src/random/philox.js';

const ROWS = 20;
const COLUMNS = 30;

const drawn = (some: Partial<Augmentation>, count = 2_000): Affine[] =>
  Array.from({ length: count }, (_, index) =>
    drawAffine(
      { ...NO_AUGMENTATION, ...some },
      ROWS,
      COLUMNS,
      randomWords(5, 'augmentation', 0, index),
    ),
  );

/** Where a pixel comes from. */
function sourceOf(affine: Affine, row: number, column: number): [number, number] {
  return [
    (affine.row + row * affine.rowByRow + column * affine.rowByColumn) / PIXEL,
    (affine.column + row * affine.columnByRow + column * affine.columnByColumn) / PIXEL,
  ];
}

function expectSpread(values: readonly number[], most: number): void {
  expect(Math.max(...values)).toBeLessThanOrEqual(most);
  expect(Math.min(...values)).toBeGreaterThanOrEqual(-most);
  expect(Math.max(...values)).toBeGreaterThan(0.98 * most);
  expect(Math.min(...values)).toBeLessThan(-0.98 * most);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.06 * most);
}

describe('a drawn change', () => {
  test('of nothing leaves every pixel where it is', () => {
    for (const affine of drawn({}, 10)) {
      expect(sourceOf(affine, 0, 0)).toEqual([0, 0]);
      expect(sourceOf(affine, 7, 11)).toEqual([7, 11]);
    }
  });

  test('shifts by up to its share of rows and columns, both ways', () => {
    const sources = drawn({ shift: 0.1 }).map((affine) => sourceOf(affine, 0, 0));
    expectSpread(
      sources.map(([row]) => row),
      0.1 * ROWS,
    );
    expectSpread(
      sources.map(([, column]) => column),
      0.1 * COLUMNS,
    );
  });

  test('turns about the middle, by up to so many degrees', () => {
    const changes = drawn({ rotate: 15 });
    for (const affine of changes.slice(0, 50)) {
      const middle = [(ROWS - 1) / 2, (COLUMNS - 1) / 2] as const;
      const [row, column] = sourceOf(affine, ...middle);
      expect(row).toBeCloseTo(middle[0], 3);
      expect(column).toBeCloseTo(middle[1], 3);
      const { rowByRow, rowByColumn, columnByRow, columnByColumn } = affine;
      expect([columnByColumn, -columnByRow]).toEqual([rowByRow, rowByColumn]);
      expect(Math.hypot(rowByRow, rowByColumn) / PIXEL).toBeCloseTo(1, 4);
    }
    const degrees = changes.map(({ rowByRow, rowByColumn }) => {
      return (Math.atan2(rowByColumn, rowByRow) * 180) / Math.PI;
    });
    expectSpread(degrees, 15.001);
  });

  test('turns to any side if it may', () => {
    const sines = drawn({ rotate: 180 }).map(({ rowByColumn }) => rowByColumn / PIXEL);
    const cosines = drawn({ rotate: 180 }).map(({ rowByRow }) => rowByRow / PIXEL);
    expect([Math.min(...sines), Math.min(...cosines)].every((least) => least < -0.99)).toBe(true);
    expect([Math.max(...sines), Math.max(...cosines)].every((most) => most > 0.99)).toBe(true);
  });

  test('stretches each axis about the middle, apart from the other', () => {
    const changes = drawn({ scale: 0.2 });
    const factors = changes.map(({ rowByRow, columnByColumn }) => {
      return [PIXEL / rowByRow - 1, PIXEL / columnByColumn - 1] as const;
    });
    expectSpread(
      factors.map(([row]) => row),
      0.2001,
    );
    expectSpread(
      factors.map(([, column]) => column),
      0.2001,
    );
    const apart = factors.map(([row, column]) => Math.abs(row - column));
    expect(Math.max(...apart)).toBeGreaterThan(0.35);
    const [row] = sourceOf(changes[0] ?? ({} as Affine), (ROWS - 1) / 2, 3);
    expect(row).toBeCloseTo((ROWS - 1) / 2, 3);
  });
});
