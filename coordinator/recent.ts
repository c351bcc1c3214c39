const KEPT = 5;

/** The last few measurements of one quantity. */
export class Recent {
  #values: number[] = [];

  add(value: number): void {
    this.#values = [...this.#values.slice(1 - KEPT), value];
  }

  clear(): void {
    this.#values = [];
  }

  /** Their median (the lower one of two), which a single slow answer does not move. */
  get typical(): number | undefined {
    const sorted = this.#values.toSorted((left, right) => left - right);
    return sorted[Math.floor((sorted.length - 1) / 2)];
  }
}
