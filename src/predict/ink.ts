/** A grey image, a byte a pixel, row by row. */
export interface Grey {
  readonly rows: number;
  readonly columns: number;
  readonly bytes: Uint8Array;
}

/** Rows and columns, the first and the one after the last. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** Whether the image's background, the median of its border, is lighter than middle grey. */
export function isOnLight(image: Grey): boolean {
  return background(image) > 127;
}

export function inverted(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => 255 - byte);
}

/** The image with its background at 0 and its lightest pixel at 255. */
export function stretched(image: Grey): Grey {
  const dark = background(image);
  const light = image.bytes.reduce((most, byte) => Math.max(most, byte), 0);
  if (light <= dark) return { ...image, bytes: new Uint8Array(image.bytes.length) };
  const bytes = image.bytes.map((byte) => {
    return Math.round((255 * Math.max(0, byte - dark)) / (light - dark));
  });
  return { ...image, bytes };
}

/** What holds every pixel that is a quarter white or more; undefined if there is none. */
export function inkBox({ rows, columns, bytes }: Grey): Box | undefined {
  const box = { top: rows, left: columns, bottom: 0, right: 0 };
  bytes.forEach((byte, at) => {
    if (byte < 64) return;
    const [row, column] = [Math.floor(at / columns), at % columns];
    box.top = Math.min(box.top, row);
    box.bottom = Math.max(box.bottom, row + 1);
    box.left = Math.min(box.left, column);
    box.right = Math.max(box.right, column + 1);
  });
  return box.bottom === 0 ? undefined : box;
}

/**
 * Puts an image on a black one of so many rows and columns, its centre of mass half a pixel behind
 * the middle: in MNIST it is at [14][14] on average, counted from 0.
 */
export function centred(image: Grey, rows: number, columns: number): Uint8Array {
  let [mass, rowSum, columnSum] = [0, 0, 0];
  image.bytes.forEach((byte, at) => {
    mass += byte;
    rowSum += byte * (Math.floor(at / image.columns) + 0.5);
    columnSum += byte * ((at % image.columns) + 0.5);
  });
  const bytes = new Uint8Array(rows * columns);
  if (mass === 0) return bytes;
  const down = Math.round(rows / 2 + 0.5 - rowSum / mass);
  const right = Math.round(columns / 2 + 0.5 - columnSum / mass);
  image.bytes.forEach((byte, at) => {
    const row = Math.floor(at / image.columns) + down;
    const column = (at % image.columns) + right;
    const inside = row >= 0 && row < rows && column >= 0 && column < columns;
    if (inside) bytes[row * columns + column] = byte;
  });
  return bytes;
}

function background({ rows, columns, bytes }: Grey): number {
  const border = bytes
    .filter((_, at) => {
      const [row, column] = [Math.floor(at / columns), at % columns];
      return row === 0 || row === rows - 1 || column === 0 || column === columns - 1;
    })
    .sort();
  return border[Math.floor(border.length / 2)] ?? 0;
}
