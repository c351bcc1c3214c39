/** Bytes of a WebAssembly binary, as nested lists until they are joined once at the end. */
export type Bytes = readonly (number | Bytes | Uint8Array)[];

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit integer. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

export function float32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return bytes;
}

export function flatten(bytes: Bytes): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  const visit = (part: Bytes | Uint8Array): void => {
    for (const item of part) {
      if (typeof item === 'number') out.push(item);
      else visit(item);
    }
  };
  visit(bytes);
  return Uint8Array.from(out);
}

/** A vector: its length, then its items. */
export function vector(items: readonly Bytes[]): Bytes {
  return [unsigned(items.length), ...items];
}

/** A length in bytes, then the bytes: what sections, bodies and names are. */
export function sized(content: Bytes): Bytes {
  const flat = flatten(content);
  return [unsigned(flat.length), flat];
}

export function name(text: string): Bytes {
  return sized([new TextEncoder().encode(text)]);
}

export function section(id: number, content: Bytes): Bytes {
  return [id, sized(content)];
}
