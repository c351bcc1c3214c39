/** Seconds that pass while it runs. */
export class Stopwatch {
  #before: number;
  #since: number | undefined;

  /** @param before seconds that it has counted already */
  constructor(before = 0) {
    this.#before = before;
  }

  start(): void {
    this.#since ??= performance.now();
  }

  pause(): void {
    this.#before = this.seconds;
    this.#since = undefined;
  }

  get seconds(): number {
    const running = this.#since === undefined ? 0 : (performance.now() - this.#since) / 1000;
    return this.#before + running;
  }
}
