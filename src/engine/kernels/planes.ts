import type { Shape } from '../../model/layers.js';

/**
 * How a layer's values lie in memory: [channel][row][column][lane], lane i holding sample i of
 * the micro-batch. A plane may have a border of zeros, which is the padding of the layer that
 * reads it. Extents and borders are in cells; strides and sizes in float32 values.
 */
export interface Planes {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  readonly top: number;
  readonly left: number;
  readonly rowStride: number;
  readonly channelStride: number;
  readonly size: number;
  /** Float32 values of a cell. */
  readonly lanes: number;
}

export interface Border {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export const NO_BORDER: Border = { top: 0, left: 0, bottom: 0, right: 0 };

/** The planes of a layer's values; flat features are channels of one cell. */
export function planesOf(shape: Shape, lanes: number, border: Border = NO_BORDER): Planes {
  const [rows, columns, channels] = shape.length === 1 ? [1, 1, shape[0]] : shape;
  const rowStride = (columns + border.left + border.right) * lanes;
  const channelStride = (rows + border.top + border.bottom) * rowStride;
  return {
    channels,
    rows,
    columns,
    top: border.top,
    left: border.left,
    rowStride,
    channelStride,
    size: channels * channelStride,
    lanes,
  };
}

/** Index of the first cell inside the border. */
export function origin(planes: Planes): number {
  return planes.top * planes.rowStride + planes.left * planes.lanes;
}
