import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { diskReason, DtrainError } from '../errors.js';

export interface StoreOptions {
  readonly sampleBytes: number;
  /** Bytes that are kept in memory; more go to a file. */
  readonly memoryBytes: number;
  /** Where that file is, which lasts as long as the store. */
  readonly folder: string;
}

/** Bytes that are read or written at once, about. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** Samples in the order of their source; in a temporary file if they are many. */
export class SampleStore {
  readonly #options: StoreOptions;
  readonly #perChunk: number;
  /** All but the last are full; those that are in the file are not here. */
  #chunks: Uint8Array[] = [];
  /** Full chunks, in the file. */
  #written = 0;
  #file: { readonly path: string; readonly handle: FileHandle } | undefined;
  /** Bytes of the last chunk. */
  #filled = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#perChunk = Math.max(1, Math.floor(CHUNK_BYTES / options.sampleBytes));
  }

  get sampleBytes(): number {
    return this.#options.sampleBytes;
  }

  /** @throws DtrainError WRITE_FAILED */
  async append(samples: Uint8Array): Promise<void> {
    const size = this.#perChunk * this.sampleBytes;
    for (let from = 0; from < samples.length;) {
      if (this.#filled === size || this.#chunks.length === 0) await this.#startChunk(size);
      const part = samples.subarray(from, from + size - this.#filled);
      this.#chunks.at(-1)?.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
    }
  }

  /**
   * The samples at some places, block by block.
   * @param places in rising order
   */
  async *at(places: Uint32Array): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < places.length;) {
      const chunk = Math.floor((places[from] ?? 0) / this.#perChunk);
      const [first, last] = [chunk * this.#perChunk, (chunk + 1) * this.#perChunk];
      let to = from;
      while (to < places.length && (places[to] ?? 0) < last) to++;
      yield this.#picked(await this.#chunk(chunk), places.subarray(from, to), first);
      from = to;
    }
  }

  async close(): Promise<void> {
    await this.#file?.handle.close();
    if (this.#file) await rm(this.#file.path, { force: true });
    this.#file = undefined;
    this.#chunks = [];
  }

  async #startChunk(size: number): Promise<void> {
    const most = Math.max(1, Math.floor(this.#options.memoryBytes / size));
    if (this.#chunks.length === most || this.#file) {
      for (const chunk of this.#chunks.splice(0)) await this.#write(chunk);
    }
    this.#chunks.push(new Uint8Array(size));
    this.#filled = 0;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    const { folder } = this.#options;
    try {
      this.#file ??= await temporaryFile(folder);
      await this.#file.handle.write(chunk, 0, chunk.length, this.#written * chunk.length);
      this.#written += 1;
    } catch (cause) {
      const message = `The data does not fit into ${folder} (${diskReason(cause)}): make room there, or set DTRAIN_CACHE_DIR to a folder with more.`;
      throw new DtrainError('WRITE_FAILED', message, { cause });
    }
  }

  async #chunk(index: number): Promise<Uint8Array> {
    const inMemory = this.#chunks[index - this.#written];
    if (inMemory || !this.#file) return inMemory ?? new Uint8Array();
    const chunk = new Uint8Array(this.#perChunk * this.sampleBytes);
    await this.#file.handle.read(chunk, 0, chunk.length, index * chunk.length);
    return chunk;
  }

  #picked(chunk: Uint8Array, places: Uint32Array, first: number): Uint8Array {
    const { sampleBytes } = this;
    const from = (places[0] ?? 0) - first;
    const isRun = places.at(-1) === first + from + places.length - 1;
    if (isRun) return chunk.subarray(from * sampleBytes, (from + places.length) * sampleBytes);
    const picked = new Uint8Array(places.length * sampleBytes);
    places.forEach((place, index) => {
      const at = (place - first) * sampleBytes;
      picked.set(chunk.subarray(at, at + sampleBytes), index * sampleBytes);
    });
    return picked;
  }
}

async function temporaryFile(folder: string): Promise<{ path: string; handle: FileHandle }> {
  await mkdir(folder, { recursive: true });
  const name = path.join(folder, `${randomBytes(6).toString('hex')}.tmp`);
  const handle = await open(name, 'wx+');
  // Where an open file may lose its name, not even a kill leaves it behind.
  await rm(name).catch(() => undefined);
  return { path: name, handle };
}
