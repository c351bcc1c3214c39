import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { diskReason } from '../errors.js';

export const METRICS = 'metrics.jsonl';

/** Characters that wait for a disk that takes none; what comes after them is not recorded. */
const MOST_WAITING = 4 * 1024 * 1024;

/** metrics.jsonl. A disk that is full keeps it from growing for a while, and ends no run. */
export class MetricsFile {
  readonly #path: string;
  readonly #file: number;
  #bytes: number;
  #waiting = '';
  #trouble = false;

  /** @throws the system's error if the file cannot be opened */
  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'a');
    this.#bytes = fstatSync(this.#file).size;
  }

  /** Adds a line, and those that wait. @returns a sentence if there is trouble with it, once */
  add(values: object): string | undefined {
    if (this.#waiting.length < MOST_WAITING) this.#waiting += `${JSON.stringify(values)}\n`;
    const bytes = Buffer.from(this.#waiting);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#file, bytes, written);
    } catch (error) {
      // A part of a line would spoil the next one.
      if (written > 0) ftruncateSync(this.#file, this.#bytes);
      return this.#tell(error);
    }
    this.#bytes += bytes.length;
    this.#waiting = '';
    this.#trouble = false;
    return undefined;
  }

  close(): void {
    closeSync(this.#file);
  }

  #tell(error: unknown): string | undefined {
    if (this.#trouble) return undefined;
    this.#trouble = true;
    return `Cannot write ${this.#path}: ${diskReason(error)}. It is tried again; the run goes on.`;
  }
}
