import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DtrainError, systemCode } from '../errors.js';
import { sha256 as sumOf } from '../sha256.js';
import { defaultCacheDir } from './cache-dir.js';

/** Shards on disk, each in a file named by the SHA-256 of its content. */
export class ShardCache {
  readonly #dir: string;

  /** `dir` is made when the first shard is put there. */
  constructor(dir = join(defaultCacheDir(), 'shards')) {
    this.#dir = dir;
  }

  get dir(): string {
    return this.#dir;
  }

  /**
   * Reads a shard of `target.length` bytes. Throws PROTOCOL if `sha256` is not 64 lower-case hex
   * digits.
   * @returns false if it is not there, cannot be read, or is damaged. A damaged one stays until `put`
   * replaces it: others may read the file, and only its name says how long it should be.
   */
  async read(sha256: string, target: Uint8Array): Promise<boolean> {
    const path = this.pathOf(sha256);
    try {
      const file = await open(path);
      try {
        const { size } = await file.stat();
        let read = 0;
        for (let more = 1; more > 0; read += more) {
          more = (await file.read(target, read, target.length - read, read)).bytesRead;
        }
        if (size === target.length && sumOf(target) === sha256) return true;
      } finally {
        await file.close();
      }
    } catch {
      // As if it were not there: the coordinator has it too.
    }
    return false;
  }

  /**
   * Keeps a shard. Throws PROTOCOL if `sha256` is not the sum of `bytes`, WRITE_FAILED if the disk
   * does not take it; then nothing of it is left there.
   * @returns the path of its file
   */
  async put(sha256: string, bytes: Uint8Array): Promise<string> {
    const path = this.pathOf(sha256);
    const found = sumOf(bytes);
    if (found !== sha256) {
      throw new DtrainError(
        'PROTOCOL',
        `A data shard is damaged: its SHA-256 is ${found.slice(0, 12)} instead of ` +
          `${sha256.slice(0, 12)}; fetch it again.`,
      );
    }
    return this.#write(path, bytes);
  }

  /** Keeps a shard under the name that it has. @returns the path of its file. Throws WRITE_FAILED */
  async add(bytes: Uint8Array): Promise<string> {
    return this.#write(this.pathOf(sumOf(bytes)), bytes);
  }

  async #write(path: string, bytes: Uint8Array): Promise<string> {
    // Complete before it has its name: neither a kill nor another process leaves half a shard.
    const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      await mkdir(this.#dir, { recursive: true });
      await writeFile(temporary, bytes, { flag: 'wx' });
      await rename(temporary, path);
      return path;
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw new DtrainError(
        'WRITE_FAILED',
        `A data shard could not be kept in ${this.#dir} (${systemCode(error) ?? String(error)}); ` +
          'make room there, or set DTRAIN_CACHE_DIR to a folder that can be written to.',
        { cause: error },
      );
    }
  }

  /** Where a shard is, if it is there. Throws PROTOCOL if `sha256` names none. */
  pathOf(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) {
      throw new DtrainError(
        'PROTOCOL',
        `${JSON.stringify(sha256.slice(0, 80))} does not name a data shard; ` +
          'a name is 64 lower-case hex digits.',
      );
    }
    return join(this.#dir, sha256);
  }
}
