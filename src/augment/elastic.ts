import { randomWords } from '../random/philox.js';
import { PIXEL } from './affine.js';

/** Cells along each axis; a cubic B-spline over them has so many more control points. */
const CELLS = 4;
const POINTS = CELLS + 3;
const VALUES = POINTS * POINTS;

/**
 * Smooth random displacements (Simard, Steinkraus, Platt 2003, "Best practices for convolutional
 * neural networks applied to visual document analysis"). Where they blur a random field with a
 * Gaussian of a seventh of the image, a cubic B-spline over a coarse grid of random vectors is as
 * smooth: no point moves by more than a control point, and by a quarter of that on average.
 */
export class ElasticField {
  /** Of one row: how far each pixel's source is displaced, in steps of `PIXEL`. */
  readonly rowSteps: Int32Array;
  readonly columnSteps: Int32Array;
  readonly #rows: Spline;
  readonly #columns: Spline;
  /** The control points' displacements along rows, then along columns, in steps. */
  readonly #points = new Float64Array(2 * VALUES);
  /** The same, blended for one row. */
  readonly #blended = new Float64Array(2 * POINTS);

  constructor(rows: number, columns: number) {
    this.#rows = new Spline(rows);
    this.#columns = new Spline(columns);
    this.rowSteps = new Int32Array(columns);
    this.columnSteps = new Int32Array(columns);
  }

  /**
   * Draws a field whose points move by up to `amount` of the image's extent.
   * @param first the first of the random words, 16 to a block, that are the sample's
   */
  draw(amount: number, seed: number, epoch: number, first: number): void {
    const points = this.#points;
    const extents = [this.#rows.extent, this.#columns.extent];
    for (let value = 0; value < 2 * VALUES; value += 16) {
      const words = randomWords(seed, 'augmentation', epoch, first + value / 16);
      for (let byte = 0; byte < 16 && value + byte < 2 * VALUES; byte++) {
        const extent = extents[value + byte < VALUES ? 0 : 1] ?? 0;
        const uniform = (2 * (((words[byte >> 2] ?? 0) >>> (8 * (byte & 3))) & 255) - 255) / 255;
        points[value + byte] = uniform * amount * extent * PIXEL;
      }
    }
  }

  /** Works the displacements of a row out. */
  toRow(row: number): void {
    this.#blend(row);
    const blended = this.#blended;
    const { rowSteps, columnSteps } = this;
    const { weights, cells } = this.#columns;
    // Named one by one: a list made anew for each pixel takes five times as long.
    for (let cell = 0; cell < CELLS; cell++) {
      const [r0, r1, r2, r3] = fourOf(blended, cell);
      const [c0, c1, c2, c3] = fourOf(blended, POINTS + cell);
      const end = cells[cell + 1] ?? 0;
      for (let column = cells[cell] ?? 0; column < end; column++) {
        const w0 = weights[4 * column] ?? 0;
        const w1 = weights[4 * column + 1] ?? 0;
        const w2 = weights[4 * column + 2] ?? 0;
        const w3 = weights[4 * column + 3] ?? 0;
        rowSteps[column] = w0 * r0 + w1 * r1 + w2 * r2 + w3 * r3;
        columnSteps[column] = w0 * c0 + w1 * c1 + w2 * c2 + w3 * c3;
      }
    }
  }

  #blend(row: number): void {
    const { weights } = this.#rows;
    const [w0, w1, w2, w3] = fourOf(weights, 4 * row);
    const cell = this.#rows.cellOf(row);
    const points = this.#points;
    for (let value = 0; value < 2 * POINTS; value++) {
      const from = cell * POINTS + (value < POINTS ? value : VALUES + value - POINTS);
      this.#blended[value] =
        w0 * (points[from] ?? 0) +
        w1 * (points[from + POINTS] ?? 0) +
        w2 * (points[from + 2 * POINTS] ?? 0) +
        w3 * (points[from + 3 * POINTS] ?? 0);
    }
  }
}

/** A uniform cubic B-spline along one axis. */
class Spline {
  readonly extent: number;
  /** Of the four control points around each pixel. */
  readonly weights: Float64Array;
  /** The first pixel of each cell, and the axis's end. */
  readonly cells: readonly number[];

  constructor(extent: number) {
    this.extent = extent;
    this.weights = new Float64Array(4 * extent);
    for (let pixel = 0; pixel < extent; pixel++) {
      const place = ((pixel + 0.5) * CELLS) / extent;
      const t = place - Math.floor(place);
      const rest = 1 - t;
      this.weights.set(
        [
          (rest * rest * rest) / 6,
          (3 * t * t * t - 6 * t * t + 4) / 6,
          (3 * rest * rest * rest - 6 * rest * rest + 4) / 6,
          (t * t * t) / 6,
        ],
        4 * pixel,
      );
    }
    const pixels = Array.from({ length: extent }, (_, pixel) => this.cellOf(pixel));
    this.cells = Array.from({ length: CELLS + 1 }, (_, cell) => {
      const first = pixels.findIndex((of) => of >= cell);
      return first === -1 ? extent : first;
    });
  }

  cellOf(pixel: number): number {
    return Math.floor(((pixel + 0.5) * CELLS) / this.extent);
  }
}

function fourOf(values: Float64Array, at: number): readonly [number, number, number, number] {
  return [values[at] ?? 0, values[at + 1] ?? 0, values[at + 2] ?? 0, values[at + 3] ?? 0];
}
