import koffi from 'koffi';
import type { Engine } from '../engine.js';

const PLACE = 'uint32_t';
const COUNT = 'int32_t';
const samples = [PLACE, PLACE, PLACE, PLACE, PLACE, COUNT, PLACE];

/**
 * A compiled library at work in a shared memory.
 * @param pairs whether it computes two micro-batches at a time
 */
export function loadLibrary(file: string, pairs: boolean, memory: WebAssembly.Memory): Engine {
  const library = koffi.load(file);
  // The memory may grow, but it does not move: its first bytes are enough to find it.
  const start = new Uint8Array(memory.buffer, 0, 64);
  const bind = (name: string, args: readonly string[]) => {
    const call = library.func(name, 'void', ['void *', ...args]) as (...all: unknown[]) => void;
    return (...places: readonly number[]): void => {
      call(start, ...places);
    };
  };
  return {
    gradients: bind('gradients', [...samples, PLACE]),
    evaluate: bind('evaluate', [...samples, PLACE]),
    add: bind('add', [PLACE, PLACE]),
    update: bind('update', [PLACE, PLACE, PLACE, PLACE, PLACE]),
    ...(pairs && { gradientsOfPair: bind('gradientsOfPair', [...samples, PLACE]) }),
  };
}
