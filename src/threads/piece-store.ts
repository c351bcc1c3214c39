import type { Place } from '../engine/kernels.js';
import { PAGE } from './memory.js';

/**
 * The main thread's own room for gradient pieces: what its threads have finished and what came
 * over the network. It grows with the memory and never shrinks.
 */
export class PieceStore {
  readonly #memory: WebAssembly.Memory;
  readonly #bytes: number;
  readonly #free: Place[] = [];

  /** @param size of a piece in float32 values */
  constructor(memory: WebAssembly.Memory, size: number) {
    this.#memory = memory;
    this.#bytes = size * 4;
  }

  /** Room for one piece; what it holds is whatever was there before. */
  take(): Place {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const pages = Math.ceil(this.#bytes / PAGE);
    return this.#memory.grow(pages) * PAGE;
  }

  /** A copy of the piece at a place. */
  keep(from: Place): Place {
    const place = this.take();
    new Uint8Array(this.#memory.buffer).copyWithin(place, from, from + this.#bytes);
    return place;
  }

  give(place: Place): void {
    this.#free.push(place);
  }
}
