import {
  type Bytes,
  flatten,
  name,
  section,
  sized,
  unsigned,
  vector,
} from '../../src/engine/wasm/binary.js';

const EXPORTS = ['gradients', 'evaluate', 'add', 'update'];
const END = 0x0b;

/** What a function does instead of computing gradients. */
export const bodies = {
  nothing: [],
  loop: [0x03, 0x40, 0x0c, 0x00, END],
  trap: [0x00],
  // memory.fill of all the memory there is, with 0xff.
  overwriteAndLoop: [
    ...[0x41, 0x00, 0x41, 0xff, 0x01, 0x3f, 0x00, 0x41, 0x10, 0x74, 0xfc, 0x0b, 0x00],
    ...[0x03, 0x40, 0x0c, 0x00, END],
  ],
  // memory.grow as far as it goes.
  grow: [0x03, 0x40, 0x41, 0x01, 0x40, 0x00, 0x41, 0x00, 0x4e, 0x0d, 0x00, END],
} as const satisfies Record<string, Bytes>;

interface ModuleOptions {
  readonly body?: Bytes;
  /** Runs the body when the module is instantiated. */
  readonly atStart?: boolean;
  /** Pages that the memory must have. */
  readonly pages?: number;
  readonly imports?: readonly Bytes[];
}

/** A WebAssembly module that has what dtrain's have, and does something else. */
export function hostileModule({
  body = bodies.nothing,
  atStart = false,
  pages = 1,
  imports = [],
}: ModuleOptions): Uint8Array<ArrayBuffer> {
  const memory = [name('env'), name('memory'), 0x02, 0x03, unsigned(pages), unsigned(65_536)];
  return flatten([
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, vector([[0x60, 0x00, 0x00]])),
    section(2, vector([memory, ...imports])),
    section(3, vector([[0x00]])),
    section(7, vector(EXPORTS.map((kernel) => [name(kernel), 0x00, unsigned(imports.length)]))),
    ...(atStart ? [section(8, unsigned(imports.length))] : []),
    section(10, vector([sized([0x00, body, END])])),
  ]);
}

/** A function that the host would have to give. */
export const foreignImport: Bytes = [name('env'), name('open'), 0x00, 0x00];
