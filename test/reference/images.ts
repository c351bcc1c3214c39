import type { Shape } from '../../src/model/layers.js';

/** The extents of an image, by name. */
export interface Extents {
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}

/** The extents of a shape that must be [rows, columns, channels]. */
export function extentsOf(shape: Shape): Extents {
  if (shape.length !== 3) {
    throw new TypeError(`[${shape.join(', ')}] is not the shape of an image`);
  }
  const [rows, columns, channels] = shape;
  return { rows, columns, channels };
}

/** Where a value lies in an image stored as [row][column][channel]. */
export function imageIndex(image: Extents, row: number, column: number, channel: number): number {
  return (row * image.columns + column) * image.channels + channel;
}
