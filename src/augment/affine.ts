import { cosPi } from '../cosine.js';
import type { Words } from '../random/philox.js';
import type { Augmentation } from './augmentation.js';

/** Steps of a coordinate in a pixel: coordinates are whole numbers, so that they are exact. */
export const PIXEL = 65_536;

/**
 * Where the pixel [row][column] of the new image comes from in the old one, in steps: row
 * `row + rowByRow * r + rowByColumn * c`, column `column + columnByRow * r + columnByColumn * c`.
 */
export interface Affine {
  row: number;
  rowByRow: number;
  rowByColumn: number;
  column: number;
  columnByRow: number;
  columnByColumn: number;
}

/**
 * Draws a shift, a rotation about the image's middle and a stretch of each axis, all uniform
 * within their amounts: p = S^-1 R^-1 (q - middle - shift) + middle for a new pixel q. Stretching
 * the axes apart follows Cireşan, Meier, Gambardella, Schmidhuber 2010, "Deep, big, simple neural
 * nets for handwritten digit recognition".
 */
export function drawAffine(
  { shift, rotate, scale }: Augmentation,
  rows: number,
  columns: number,
  [angleWord, shiftWord, scaleWord]: Words,
): Affine {
  const turn = (rotate / 180) * uniform(angleWord);
  const cosine = cosPi(Math.abs(turn));
  const sine = Math.sign(turn) * cosPi(Math.abs(Math.abs(turn) - 0.5));
  const rowScale = 1 + scale * uniform(scaleWord);
  const columnScale = 1 + scale * uniform(scaleWord << 16);
  const rowByRow = cosine / rowScale;
  const rowByColumn = sine / rowScale;
  const columnByRow = -sine / columnScale;
  const columnByColumn = cosine / columnScale;
  const [middleRow, middleColumn] = [(rows - 1) / 2, (columns - 1) / 2];
  const fromRow = middleRow + shift * rows * uniform(shiftWord);
  const fromColumn = middleColumn + shift * columns * uniform(shiftWord << 16);
  return {
    row: steps(middleRow - rowByRow * fromRow - rowByColumn * fromColumn),
    rowByRow: steps(rowByRow),
    rowByColumn: steps(rowByColumn),
    column: steps(middleColumn - columnByRow * fromRow - columnByColumn * fromColumn),
    columnByRow: steps(columnByRow),
    columnByColumn: steps(columnByColumn),
  };
}

/** The upper half of a random word as a number in (-1, 1). */
function uniform(word: number): number {
  return (2 * (word >>> 16) - 65_535) / 65_536;
}

function steps(pixels: number): number {
  return Math.floor(pixels * PIXEL + 0.5);
}
