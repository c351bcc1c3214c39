import { readFileSync } from 'node:fs';

const MEGABYTE = 2 ** 20;

/** Megabytes of memory that a process has in use; undefined where the system does not say. */
export function residentMegabytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / MEGABYTE;
  } catch {
    return undefined;
  }
}

/** How a process's memory went along while something was done to it. */
export class MemoryTrace {
  readonly #pid: number;
  readonly #samples: { readonly done: number; readonly megabytes: number }[] = [];

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** @param done share of the whole, from 0 to 1 */
  sample(done: number): void {
    const megabytes = residentMegabytes(this.#pid);
    if (megabytes !== undefined) this.#samples.push({ done, megabytes });
  }

  /** The most of the second half above the most of the first, in megabytes. */
  get growth(): number {
    return this.#most(0.5, Infinity) - this.#most(0, 0.5);
  }

  #most(from: number, to: number): number {
    const values = this.#samples.filter(({ done }) => done >= from && done < to);
    return Math.max(0, ...values.map(({ megabytes }) => megabytes));
  }

  toString(): string {
    return this.#samples.map(({ megabytes }) => megabytes.toFixed(0)).join(' ');
  }
}
