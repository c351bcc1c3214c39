interface Appointment {
  readonly time: number;
  readonly number: number;
  readonly action: () => void;
}

/** Virtual time: actions happen in the order of their times, and of their making where equal. */
export class Clock {
  #now = 0;
  #made = 0;
  /** A binary heap: each appointment is before those at twice its place plus 1 and 2. */
  readonly #heap: Appointment[] = [];

  /** Seconds since the start. */
  get now(): number {
    return this.#now;
  }

  at(time: number, action: () => void): void {
    const appointment = { time: Math.max(time, this.#now), number: this.#made++, action };
    let place = this.#heap.length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent];
      if (!above || before(above, appointment)) break;
      this.#heap[place] = above;
      place = parent;
    }
    this.#heap[place] = appointment;
  }

  after(seconds: number, action: () => void): void {
    this.at(this.#now + seconds, action);
  }

  /** Does what is due next; false if nothing is. */
  advance(): boolean {
    const next = this.#take();
    if (!next) return false;
    this.#now = next.time;
    next.action();
    return true;
  }

  #take(): Appointment | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (!last || this.#heap.length === 0) return first;
    let place = 0;
    for (;;) {
      const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]];
      const child = right && left && before(right, left) ? 2 * place + 2 : 2 * place + 1;
      const below = this.#heap[child];
      if (!below || before(last, below)) break;
      this.#heap[place] = below;
      place = child;
    }
    this.#heap[place] = last;
    return first;
  }
}

function before(one: Appointment, other: Appointment): boolean {
  return one.time < other.time || (one.time === other.time && one.number < other.number);
}
