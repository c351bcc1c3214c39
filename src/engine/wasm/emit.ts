import type { Kernel, Statement, Type } from '../ir/types.js';
import { calledKernels } from '../ir/walk.js';
import { type Bytes, flatten, name, section, signed, sized, unsigned, vector } from './binary.js';
import { expression, place, valueTypes } from './expression.js';

const LARGEST_MEMORY_PAGES = 65_536;

/** The limits of the memory that a module imports; TensorFlow.js's own is not shared. */
const memoryLimits = {
  shared: [0x03, unsigned(1), unsigned(LARGEST_MEMORY_PAGES)],
  unshared: [0x00, unsigned(1)],
} as const satisfies Record<string, Bytes>;

/**
 * Prints kernels as one WebAssembly module (SIMD128). It imports a memory `env.memory` and
 * nothing else, and exports `exported` by their names. Kernels that they call come along.
 */
export function emitWasm(
  exported: readonly Kernel[],
  memory: keyof typeof memoryLimits = 'shared',
): Uint8Array<ArrayBuffer> {
  const kernels = calledKernels(exported);
  const indices = new Map(kernels.map((kernel, index) => [kernel, index]));
  return flatten([
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, vector(kernels.map(({ params }) => [0x60, types(params), 0x00]))),
    section(2, vector([[name('env'), name('memory'), 0x02, memoryLimits[memory]]])),
    section(3, vector(kernels.map((_, index) => unsigned(index)))),
    section(
      7,
      vector(
        exported.map((kernel) => [name(kernel.name), 0x00, unsigned(indices.get(kernel) ?? 0)]),
      ),
    ),
    section(10, vector(kernels.map((kernel) => body(kernel, indices)))),
  ]);
}

function types(list: readonly Type[]): Bytes {
  return vector(list.map((type) => [valueTypes[type]]));
}

function body(kernel: Kernel, indices: ReadonlyMap<Kernel, number>): Bytes {
  const locals = vector(kernel.locals.map((type) => [1, valueTypes[type]]));
  return sized([locals, kernel.body.map((statement) => code(statement, indices)), 0x0b]);
}

function code(statement: Statement, indices: ReadonlyMap<Kernel, number>): Bytes {
  switch (statement.op) {
    case 'set':
      return [expression(statement.value), 0x21, unsigned(statement.variable.id)];
    case 'store': {
      const { address, offset } = place(statement.pointer, statement.offset);
      const store = statement.value.type === 'f32' ? [0x38] : [0xfd, 0x0b];
      return [address, expression(statement.value), store, 0, unsigned(offset)];
    }
    case 'call':
      return [statement.args.map(expression), 0x10, unsigned(indices.get(statement.kernel) ?? 0)];
    case 'loop':
      return loop(statement, indices);
  }
}

function loop(
  { variable, from, to, step, body: statements }: Statement & { op: 'loop' },
  indices: ReadonlyMap<Kernel, number>,
): Bytes {
  const lessThan: Bytes = [expression(variable), expression(to), 0x48];
  const repeat: Bytes = [
    [0x03, 0x40],
    statements.map((statement) => code(statement, indices)),
    [expression(variable), 0x41, signed(step), 0x6a, 0x21, unsigned(variable.id)],
    [lessThan, 0x0d, 0x00],
    0x0b,
  ];
  const start: Bytes = [expression(from), 0x21, unsigned(variable.id)];
  const runsAlways = from.op === 'int' && to.op === 'int' && from.value < to.value;
  return runsAlways ? [start, repeat] : [start, lessThan, 0x04, 0x40, repeat, 0x0b];
}
