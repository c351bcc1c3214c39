import type { Member } from './member.js';
import type { MicroBatchRange } from './ranges.js';

/** Which micro-batches of one step are counted, and which somebody must still be asked for. */
export class StepWork {
  readonly step: number;
  readonly microBatches: number;
  readonly #counted: Uint8Array;
  #missing: number;
  /** Ranges that the coordinator itself computes once more, to see who was wrong. */
  readonly #checks = new Set<MicroBatchRange>();

  constructor(step: number, microBatches: number) {
    this.step = step;
    this.microBatches = microBatches;
    this.#counted = new Uint8Array(microBatches);
    this.#missing = microBatches;
  }

  get whole(): MicroBatchRange {
    return { first: 0, last: this.microBatches };
  }

  get complete(): boolean {
    return this.#missing === 0;
  }

  /** Counts a range, all of it or nothing: false if a part of it was counted before. */
  count(range: MicroBatchRange): boolean {
    if (!this.#wanted(range)) return false;
    this.#counted.fill(1, range.first, range.last);
    this.#missing -= range.last - range.first;
    return true;
  }

  check(range: MicroBatchRange): void {
    this.#checks.add(range);
  }

  checked({ first, last }: MicroBatchRange): void {
    for (const check of this.#checks) {
      if (check.first === first && check.last === last) this.#checks.delete(check);
    }
  }

  /** Ranges that nobody is at work on, or only members who are late with them. */
  open(members: Iterable<Member>, now: number): MicroBatchRange[] {
    const covered = this.#counted.slice();
    const cover = (range: MicroBatchRange): void => {
      if (this.#wanted(range)) covered.fill(1, range.first, range.last);
    };
    for (const check of this.#checks) cover(check);
    for (const { work, present } of members) {
      if (work?.step !== this.step || work.probe) continue;
      if (present && now < work.lateAt) cover(work.range);
    }
    const ranges: MicroBatchRange[] = [];
    for (let first = covered.indexOf(0); first !== -1;) {
      const end = covered.indexOf(1, first);
      const last = end === -1 ? this.microBatches : end;
      ranges.push({ first, last });
      first = end === -1 ? -1 : covered.indexOf(0, end);
    }
    return ranges;
  }

  /** Whether an answer with this range can still be counted. */
  #wanted({ first, last }: MicroBatchRange): boolean {
    const counted = this.#counted.indexOf(1, first);
    return counted === -1 || counted >= last;
  }
}
