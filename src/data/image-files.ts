import { closeSync, openSync, readSync } from 'node:fs';
import { diskReason, DtrainError } from '../errors.js';

/** Samples of a large split, in the files of its shards: in each the samples, then their labels. */
export interface ImageFiles {
  readonly paths: readonly string[];
  /** Samples in each file but the last, which may have fewer. */
  readonly perFile: number;
  readonly sampleBytes: number;
}

/** Files that one reader keeps open. */
const MOST_OPEN = 256;
/** Bytes of samples that are read ahead. */
const MOST_AHEAD = 4 * 1024 * 1024;

/** Reads samples one by one, from wherever they are in the files. */
export class ImageReader {
  readonly #files: ImageFiles;
  /** Descriptors by the file's number; the one opened first is the first. */
  readonly #open = new Map<number, number>();
  /** Where in `#room` samples are that were read ahead. */
  readonly #ahead = new Map<number, number>();
  #room = new Uint8Array();

  constructor(files: ImageFiles) {
    this.#files = files;
  }

  /**
   * Reads samples that will be wanted next, as many as there is room for.
   * @throws DtrainError DATA_MISSING
   */
  readAhead(samples: Uint32Array): void {
    const { sampleBytes } = this.#files;
    const count = Math.min(samples.length, Math.floor(MOST_AHEAD / sampleBytes));
    if (this.#room.length < count * sampleBytes) this.#room = new Uint8Array(count * sampleBytes);
    this.#ahead.clear();
    samples.subarray(0, count).forEach((sample, index) => {
      this.#fetch(sample, this.#room, index * sampleBytes);
      this.#ahead.set(sample, index * sampleBytes);
    });
  }

  /**
   * Copies a sample's bytes into `target`, from the place `to` on.
   * @throws DtrainError DATA_MISSING
   */
  read(sample: number, target: Uint8Array, to: number): void {
    const from = this.#ahead.get(sample);
    if (from === undefined) this.#fetch(sample, target, to);
    else target.set(this.#room.subarray(from, from + this.#files.sampleBytes), to);
  }

  close(): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
  }

  #fetch(sample: number, target: Uint8Array, to: number): void {
    const { paths, perFile, sampleBytes } = this.#files;
    const file = Math.floor(sample / perFile);
    const from = (sample - file * perFile) * sampleBytes;
    try {
      const descriptor = this.#open.get(file) ?? this.#opened(file, paths[file] ?? '');
      if (readSync(descriptor, target, to, sampleBytes, from) === sampleBytes) return;
    } catch (cause) {
      throw missing(paths[file], diskReason(cause), cause);
    }
    throw missing(paths[file], 'it is too short');
  }

  #opened(file: number, path: string): number {
    const [oldest] = this.#open;
    if (oldest && this.#open.size === MOST_OPEN) {
      closeSync(oldest[1]);
      this.#open.delete(oldest[0]);
    }
    const descriptor = openSync(path, 'r');
    this.#open.set(file, descriptor);
    return descriptor;
  }
}

function missing(path: string | undefined, reason: string, cause?: unknown): DtrainError {
  const message = `The samples in ${path ?? 'a shard'} cannot be read: ${reason}; start again, and leave the cache alone meanwhile.`;
  return new DtrainError('DATA_MISSING', message, { cause });
}
