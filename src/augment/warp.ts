import type { Affine } from './affine.js';
import type { ElasticField } from './elastic.js';

/** Writes images whose pixels come from other places in an old image, between pixels bilinearly. */
export class Warp {
  readonly #rows: number;
  readonly #columns: number;
  readonly #channels: number;

  constructor(rows: number, columns: number, channels: number) {
    this.#rows = rows;
    this.#columns = columns;
    this.#channels = channels;
  }

  /**
   * @param bytes hold the old image at `from` and take the new one at `to`
   * @param field displacements to add, if there are any
   */
  run(
    bytes: Uint8Array,
    from: number,
    to: number,
    affine: Affine,
    field: ElasticField | undefined,
  ): void {
    const stride = this.#columns * this.#channels;
    for (let row = 0; row < this.#rows; row++) {
      const y = affine.row + row * affine.rowByRow;
      const x = affine.column + row * affine.columnByRow;
      field?.toRow(row);
      for (let channel = 0; channel < this.#channels; channel++) {
        const place = to + row * stride + channel;
        this.#line(bytes, from + channel, place, y, x, affine, field);
      }
    }
  }

  /**
   * One channel of a row, whose first pixel comes from [y][x]. Beyond the image's border its
   * outermost pixels go on. Weights are 256ths.
   */
  #line(
    bytes: Uint8Array,
    from: number,
    to: number,
    firstY: number,
    firstX: number,
    { rowByColumn, columnByColumn }: Affine,
    field: ElasticField | undefined,
  ): void {
    const columns = this.#columns;
    const channels = this.#channels;
    const lastRow = this.#rows - 1;
    const lastColumn = columns - 1;
    const stride = Math.imul(columns, channels);
    const stepY = rowByColumn | 0;
    const stepX = columnByColumn | 0;
    const moreY = field?.rowSteps;
    const moreX = field?.columnSteps;
    let place = to;
    let y = firstY | 0;
    let x = firstX | 0;
    for (let c = 0; c < columns; c++) {
      const sourceY = moreY ? (y + (moreY[c] ?? 0)) | 0 : y;
      const sourceX = moreX ? (x + (moreX[c] ?? 0)) | 0 : x;
      y = (y + stepY) | 0;
      x = (x + stepX) | 0;
      let i = sourceY >> 16;
      let j = sourceX >> 16;
      let v = (sourceY >> 8) & 255;
      let u = (sourceX >> 8) & 255;
      let right = channels;
      let below = stride;
      if (i < 0 || i >= lastRow) {
        i = i < 0 ? 0 : lastRow;
        v = 0;
        below = 0;
      }
      if (j < 0 || j >= lastColumn) {
        j = j < 0 ? 0 : lastColumn;
        u = 0;
        right = 0;
      }
      const at = (from + Math.imul(i, stride) + Math.imul(j, channels)) | 0;
      const p = bytes[at] ?? 0;
      const q = bytes[at + right] ?? 0;
      const s = bytes[at + below] ?? 0;
      const t = bytes[at + below + right] ?? 0;
      const top = (p << 8) + Math.imul(q - p, u);
      const bottom = (s << 8) + Math.imul(t - s, u);
      bytes[place] = ((top << 8) + Math.imul(bottom - top, v) + 32_768) >> 16;
      place += channels;
    }
  }
}
