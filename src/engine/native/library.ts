import { createRequire } from 'node:module';
import type koffi from 'koffi';
import type { Engine } from '../engine.js';
import type { Kernel } from '../ir/types.js';

/** Loads koffi no sooner than native code: where it has no binary, the rest must still work. */
const require = createRequire(import.meta.url);

const PLACE = 'uint32_t';
const COUNT = 'int32_t';
const samples = [PLACE, PLACE, PLACE, PLACE, PLACE, COUNT, PLACE];

/** A compiled kernel: places in the memory, and counts. */
export type KernelCall = (...places: readonly number[]) => void;

/**
 * A compiled library at work in a shared memory.
 * @param pairs whether it computes two micro-batches at a time
 */
export function loadLibrary(file: string, pairs: boolean, memory: WebAssembly.Memory): Engine {
  const bind = binder(file, memory);
  return {
    gradients: bind('gradients', [...samples, PLACE, PLACE]),
    evaluate: bind('evaluate', [...samples, PLACE]),
    add: bind('add', [PLACE, PLACE]),
    update: bind('update', [PLACE, PLACE, PLACE, PLACE, PLACE, COUNT]),
    ...(pairs && { gradientsOfPair: bind('gradientsOfPair', [...samples, PLACE, PLACE]) }),
  };
}

/** Any kernels of a compiled library, by their names. */
export function bindKernels(
  file: string,
  kernels: readonly Kernel[],
  memory: WebAssembly.Memory,
): Record<string, KernelCall> {
  const bind = binder(file, memory);
  const types = { ptr: PLACE, int: COUNT };
  return Object.fromEntries(
    kernels.map(({ name, params }) => [
      name,
      bind(
        name,
        params.map((type) => types[type]),
      ),
    ]),
  );
}

function binder(
  file: string,
  memory: WebAssembly.Memory,
): (name: string, args: readonly string[]) => KernelCall {
  const library = (require('koffi') as typeof koffi).load(file);
  // The memory may grow, but it does not move: its first bytes are enough to find it.
  const start = new Uint8Array(memory.buffer, 0, 64);
  return (name, args) => {
    const call = library.func(name, 'void', ['void *', ...args]) as (...all: unknown[]) => void;
    return (...places) => {
      call(start, ...places);
    };
  };
}
