import type { Padding, Pair } from '../../src/model/layers.js';
import type { Extents } from './images.js';

/** A window that slides over an image. */
export interface SlidingWindow {
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

/** A cell of the input under a window, and where in the window it lies. */
export interface Cell {
  readonly row: number;
  readonly column: number;
  readonly windowRow: number;
  readonly windowColumn: number;
}

/** Outputs along one axis, as TensorFlow counts them. */
function outputsAlong(input: number, size: number, stride: number, padding: Padding): number {
  return padding === 'same'
    ? Math.ceil(input / stride)
    : Math.max(0, Math.floor((input - size) / stride) + 1);
}

/** Padding cells before the first input along one axis: half of them, rounded down. */
function paddingBefore(input: number, size: number, stride: number, padding: Padding): number {
  if (padding === 'valid') {
    return 0;
  }
  const covered = (outputsAlong(input, size, stride, padding) - 1) * stride + size;
  return Math.floor(Math.max(0, covered - input) / 2);
}

/** The real cells (never padding) under the window of one output, in row-major order. */
export function cellsUnder(
  window: SlidingWindow,
  input: Extents,
  outputRow: number,
  outputColumn: number,
): Cell[] {
  const { size, strides, padding } = window;
  const top = outputRow * strides[0] - paddingBefore(input.rows, size[0], strides[0], padding);
  const left =
    outputColumn * strides[1] - paddingBefore(input.columns, size[1], strides[1], padding);
  const cells: Cell[] = [];
  for (let windowRow = 0; windowRow < size[0]; windowRow++) {
    for (let windowColumn = 0; windowColumn < size[1]; windowColumn++) {
      const row = top + windowRow;
      const column = left + windowColumn;
      if (row >= 0 && row < input.rows && column >= 0 && column < input.columns) {
        cells.push({ row, column, windowRow, windowColumn });
      }
    }
  }
  return cells;
}
