import { expect, test } from 'vitest';
import { PIXEL } from '../../src/augment/affine.js';
import { ElasticField } from '../../src/augment/elastic.js';

const ROWS = 24;
const COLUMNS = 40;

/** A field's displacements in pixels, [row][column]. */
function drawn(sample: number, amount = 0.1): { rows: number[][]; columns: number[][] } {
  const field = new ElasticField(ROWS, COLUMNS);
  field.draw(amount, 3, 1, 16 * sample);
  const [rows, columns]: [number[][], number[][]] = [[], []];
  for (let row = 0; row < ROWS; row++) {
    field.toRow(row);
    rows.push([...field.rowSteps].map((steps) => steps / PIXEL));
    columns.push([...field.columnSteps].map((steps) => steps / PIXEL));
  }
  return { rows, columns };
}

const fields = Array.from({ length: 60 }, (_, sample) => drawn(sample));

test('no point moves by more than the amount, and by a quarter of it on average', () => {
  for (const [axis, extent] of [
    ['rows', ROWS],
    ['columns', COLUMNS],
  ] as const) {
    const sizes = fields.flatMap((field) => field[axis].flat()).map(Math.abs);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(0.1 * extent);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    expect(mean / (0.1 * extent)).toBeGreaterThan(0.2);
    expect(mean / (0.1 * extent)).toBeLessThan(0.3);
  }
});

test('neighbours move alike, from cell to cell too', () => {
  for (const { rows } of fields) {
    const alongRow = rows.flatMap((row) => row.slice(1).map((value, at) => value - (row[at] ?? 0)));
    const alongColumn = rows
      .slice(1)
      .flatMap((row, at) => row.map((value, column) => value - (rows[at]?.[column] ?? 0)));
    // A B-spline's slope is at most twice its points' largest value in a cell.
    expect(Math.max(...alongRow.map(Math.abs))).toBeLessThan((2 * 0.1 * ROWS * 4) / COLUMNS);
    expect(Math.max(...alongColumn.map(Math.abs))).toBeLessThan((2 * 0.1 * ROWS * 4) / ROWS);
  }
});

/** The differences of neighbours, so many times over. */
function differences(values: readonly number[], times: number): number[] {
  if (times === 0) return [...values];
  const once = values.slice(1).map((value, at) => value - (values[at] ?? 0));
  return differences(once, times - 1);
}

test('is one cubic in each cell, and smooth where two meet', () => {
  const rounding = 16 / PIXEL;
  const cell = COLUMNS / 4;
  for (const row of fields.flatMap(({ rows }) => rows.slice(0, 3))) {
    for (let first = 0; first < COLUMNS; first += cell) {
      const fourth = differences(row.slice(first, first + cell), 4);
      expect(Math.max(...fourth.map(Math.abs))).toBeLessThan(rounding);
    }
    // A jump of value, slope or curvature would show: a cubic's third differences are small.
    const third = differences(row, 3).map(Math.abs);
    expect(Math.max(...third)).toBeLessThan((8 * 0.1 * ROWS) / cell ** 3 + rounding);
  }
});

test('differs from sample to sample and from amount to amount', () => {
  expect(drawn(1)).toEqual(fields[1]);
  expect(drawn(1)).not.toEqual(fields[2]);
  expect(
    drawn(1, 0)
      .rows.flat()
      .every((value) => value === 0),
  ).toBe(true);
});
