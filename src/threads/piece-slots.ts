import { PAGE, type Place } from '../engine/engine.js';

/** Where the slots are: `first` is the place of slot 0, and they fill the memory's end. */
export interface SlotPlan {
  readonly first: Place;
  /** Bytes of a slot: one gradient piece. */
  readonly bytes: number;
  /** One word for each slot there may be: 0 free, 1 taken. */
  readonly taken: Place;
  /** One word: the slots there are. */
  readonly count: Place;
  readonly most: number;
}

/**
 * Room for gradient pieces in the shared memory. Threads and the main thread take and give slots
 * without locks; a piece stays where it was computed until it has been added to its sibling.
 */
export class PieceSlots {
  readonly #memory: WebAssembly.Memory;
  readonly #plan: SlotPlan;
  readonly #taken: Int32Array;
  readonly #count: Int32Array;

  constructor(memory: WebAssembly.Memory, plan: SlotPlan) {
    const buffer = memory.buffer as unknown as SharedArrayBuffer;
    this.#memory = memory;
    this.#plan = plan;
    this.#taken = new Int32Array(buffer, plan.taken, plan.most);
    this.#count = new Int32Array(buffer, plan.count, 1);
  }

  /**
   * A free slot's place: the first from slot `from` on, so that who always asks from the same one
   * gets a place that is in its cache.
   */
  take(from = 0): Place {
    const count = Atomics.load(this.#count, 0);
    for (let index = 0; index < count; index++) {
      const slot = (from + index) % count;
      if (Atomics.compareExchange(this.#taken, slot, 0, 1) === 0) return this.#placeOf(slot);
    }
    throw new Error('Every piece slot is taken.');
  }

  give(place: Place): void {
    Atomics.store(this.#taken, (place - this.#plan.first) / this.#plan.bytes, 0);
  }

  /**
   * Sees to it that so many slots are free; the memory grows if it must. For the main thread, while
   * no job runs or for slots that the job does not need.
   */
  reserve(wanted: number): void {
    const count = Atomics.load(this.#count, 0);
    let free = 0;
    for (let slot = 0; slot < count; slot++) {
      if (Atomics.load(this.#taken, slot) === 0) free += 1;
    }
    const next = count + Math.max(0, wanted - free);
    if (next === count) return;
    if (next > this.#plan.most) throw new Error('There are more gradient pieces than can be held.');
    const missing = this.#placeOf(next) - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    Atomics.store(this.#count, 0, next);
  }

  #placeOf(slot: number): Place {
    return this.#plan.first + slot * this.#plan.bytes;
  }
}
