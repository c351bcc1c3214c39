/** Piece slots that threads take and give back without locks. Word i is 1 while slot i is taken. */
export class Slots {
  readonly #taken: Int32Array;

  constructor(buffer: SharedArrayBuffer, place: number, count: number) {
    this.#taken = new Int32Array(buffer, place, count);
  }

  /** The number of a slot that was free: the lowest, which is the likeliest to be in the cache. */
  take(): number {
    for (let slot = 0; slot < this.#taken.length; slot++) {
      if (Atomics.compareExchange(this.#taken, slot, 0, 1) === 0) return slot;
    }
    throw new Error('Every piece slot is taken.');
  }

  give(slot: number): void {
    Atomics.store(this.#taken, slot, 0);
  }
}
