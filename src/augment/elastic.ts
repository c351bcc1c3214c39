import { randomWords } from '../random/philox.js';
import { PIXEL } from './affine.js';

/** Cells along each axis; a cubic B-spline over them has so many more control points. */
const CELLS = 4;
const POINTS = CELLS + 3;
const VALUES = POINTS * POINTS;
/** Bytes of a block of random words: each is one control point's displacement along one axis. */
const BLOCK = 16;

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
  readonly #rows: number;
  readonly #columns: number;
  /** Where each column is in its cell, 0 to 1. */
  readonly #places: Float64Array;
  /** The first column of each cell, and the end of the row. */
  readonly #cells: Int32Array;
  /** The control points' displacements along rows, then along columns, in steps. */
  readonly #points = new Float64Array(BLOCK * Math.ceil((2 * VALUES) / BLOCK));
  /** The same, blended for one row. */
  readonly #blended = new Float64Array(2 * POINTS);

  constructor(rows: number, columns: number) {
    this.#rows = rows;
    this.#columns = columns;
    this.rowSteps = new Int32Array(columns);
    this.columnSteps = new Int32Array(columns);
    this.#places = Float64Array.from({ length: columns }, (_, column) => {
      return placeOf(column, columns) % 1;
    });
    this.#cells = Int32Array.from({ length: CELLS + 1 }, (_, cell) => {
      return Math.ceil((cell * columns) / CELLS - 0.5);
    });
  }

  /**
   * Draws a field whose points move by up to `amount` of the image's extent.
   * @param first the first of the random blocks that are the sample's
   */
  draw(amount: number, seed: number, epoch: number, first: number): void {
    const alongRows = (amount * this.#rows * PIXEL) / 255;
    const alongColumns = (amount * this.#columns * PIXEL) / 255;
    for (let block = 0; block * BLOCK < 2 * VALUES; block++) {
      const words = randomWords(seed, 'augmentation', epoch, first + block);
      for (let byte = 0; byte < BLOCK; byte++) {
        const value = block * BLOCK + byte;
        const drawn = ((words[byte >> 2] ?? 0) >>> (8 * (byte & 3))) & 255;
        this.#points[value] = (2 * drawn - 255) * (value < VALUES ? alongRows : alongColumns);
      }
    }
  }

  /** Works the displacements of a row out. */
  toRow(row: number): void {
    this.#blend(row);
    const blended = this.#blended;
    this.#curve(blended, 0, this.rowSteps);
    this.#curve(blended, POINTS, this.columnSteps);
  }

  #blend(row: number): void {
    const points = this.#points;
    const place = placeOf(row, this.#rows);
    const cell = Math.floor(place);
    const t = place - cell;
    const rest = 1 - t;
    const w0 = (rest * rest * rest) / 6;
    const w1 = ((3 * t - 6) * t * t + 4) / 6;
    const w2 = ((3 * rest - 6) * rest * rest + 4) / 6;
    const w3 = (t * t * t) / 6;
    let from = cell * POINTS;
    for (let value = 0; value < 2 * POINTS; value++, from++) {
      if (value === POINTS) from += VALUES - POINTS;
      this.#blended[value] =
        w0 * (points[from] ?? 0) +
        w1 * (points[from + POINTS] ?? 0) +
        w2 * (points[from + 2 * POINTS] ?? 0) +
        w3 * (points[from + 3 * POINTS] ?? 0);
    }
  }

  /** The spline along a row: in each cell one cubic, by Horner's rule. */
  #curve(values: Float64Array, from: number, steps: Int32Array): void {
    const places = this.#places;
    const cells = this.#cells;
    for (let cell = 0; cell < CELLS; cell++) {
      const p0 = values[from + cell] ?? 0;
      const p1 = values[from + cell + 1] ?? 0;
      const p2 = values[from + cell + 2] ?? 0;
      const p3 = values[from + cell + 3] ?? 0;
      const a = (p0 + 4 * p1 + p2) / 6;
      const b = (p2 - p0) / 2;
      const c = (p0 - 2 * p1 + p2) / 2;
      const d = (p3 - p0 + 3 * (p1 - p2)) / 6;
      const end = cells[cell + 1] ?? 0;
      for (let column = cells[cell] ?? 0; column < end; column++) {
        const t = places[column] ?? 0;
        steps[column] = ((d * t + c) * t + b) * t + a;
      }
    }
  }
}

/** Where a pixel's middle is, in cells. */
function placeOf(pixel: number, extent: number): number {
  return ((pixel + 0.5) * CELLS) / extent;
}
