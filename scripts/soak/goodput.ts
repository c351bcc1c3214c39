/** Steps over time, with the times at which faults happened or were repaired. All in seconds. */
export class Goodput {
  readonly #samples: { readonly at: number; readonly step: number }[] = [];
  readonly #disturbed: number[] = [];

  sample(at: number, step: number): void {
    this.#samples.push({ at, step });
  }

  disturb(at: number): void {
    this.#disturbed.push(at);
  }

  /** Steps a second between two times, over the intervals that `counts` lets count. */
  rate(from: number, to: number, counts: (from: number, to: number) => boolean): number {
    let steps = 0;
    let seconds = 0;
    for (const [index, { at, step }] of this.#samples.entries()) {
      const before = this.#samples[index - 1];
      if (!before || before.at < from || at > to || !counts(before.at, at)) continue;
      steps += step - before.step;
      seconds += at - before.at;
    }
    return steps / seconds;
  }

  /** Whether nothing happened in an interval, nor in the second before it. */
  quiet(from: number, to: number): boolean {
    return !this.#disturbed.some((at) => at > from - 1 && at <= to);
  }
}
