import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** Names the parts of one download. */
export interface PartKey {
  /** The folder of the parts and of the finished file. */
  readonly dir: string;
  /** The finished file's name. */
  readonly name: string;
  /** Parts are resumed only from where they came from: two mirrors may pack a file differently. */
  readonly url: string;
}

/**
 * What has arrived of a download, so that a later run can go on from there. It only ever helps:
 * no method fails if the disk does, and `publish` returns why there is no finished file.
 *
 * Each download writes a file of its own, so that two at once cannot mix their bytes.
 */
export class PartFile {
  readonly #key: PartKey;
  readonly #path: string;
  #handle: FileHandle | undefined;
  #size = 0;
  #problem: unknown;

  private constructor(key: PartKey) {
    this.#key = key;
    this.#path = join(key.dir, `${prefixOf(key)}${randomBytes(6).toString('hex')}`);
  }

  static async create(key: PartKey): Promise<PartFile> {
    const part = new PartFile(key);
    await part.#attempt(async () => {
      await mkdir(key.dir, { recursive: true });
      part.#handle = await open(part.#path, 'wx');
    });
    return part;
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.#size += chunk.length;
    await this.#attempt(() => this.#handle?.appendFile(chunk));
  }

  /** Leaves the part for a later run. */
  async keep(): Promise<void> {
    if (this.#size === 0) return this.discard();
    await this.#attempt(() => this.#handle?.close());
  }

  async discard(): Promise<void> {
    await this.#handle?.close().catch(() => undefined);
    this.#handle = undefined;
    await rm(this.#path, { force: true }).catch(() => undefined);
  }

  /** Puts the finished file in place, and removes all parts of it. Returns why it could not. */
  async publish(): Promise<unknown> {
    const path = join(this.#key.dir, this.#key.name);
    await this.#attempt(async () => {
      await this.#handle?.close();
      await rename(this.#path, path).catch(async (error: unknown) => {
        // Another process may have finished first, and removed this part with the others.
        await access(path).catch(() => {
          throw error;
        });
      });
    });
    if (this.#problem === undefined) await removeParts(this.#key.dir, `${this.#key.name}.part-`);
    return this.#problem;
  }

  async #attempt(action: () => Promise<void> | undefined): Promise<void> {
    if (this.#problem !== undefined) return;
    try {
      await action();
    } catch (error) {
      this.#problem = error;
      await this.discard();
    }
  }
}

/** A part that some other download left, or is still writing. */
export interface EarlierPart {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The largest part of `key`'s file from `key`'s place; undefined if nothing has arrived yet. */
export async function readLargestPart(key: PartKey): Promise<EarlierPart | undefined> {
  let largest: EarlierPart | undefined;
  for (const name of await listParts(key.dir, prefixOf(key))) {
    const path = join(key.dir, name);
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes && bytes.length > (largest?.bytes.length ?? 0)) largest = { path, bytes };
  }
  return largest;
}

export async function removePart({ path }: EarlierPart): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}

/** Removes the parts from `key`'s place that nobody has written to for `idleMs` milliseconds. */
export async function removeIdleParts(key: PartKey, idleMs: number): Promise<void> {
  await removeParts(key.dir, prefixOf(key), Date.now() - idleMs);
}

async function removeParts(dir: string, prefix: string, lastWrite = Infinity): Promise<void> {
  for (const name of await listParts(dir, prefix)) {
    try {
      const path = join(dir, name);
      if ((await stat(path)).mtimeMs <= lastWrite) await rm(path, { force: true });
    } catch {
      // Somebody else's part: it is gone, or it is in use and theirs to remove.
    }
  }
}

async function listParts(dir: string, prefix: string): Promise<string[]> {
  const names = await readdir(dir).catch(() => []);
  return names.filter((name) => name.startsWith(prefix));
}

function prefixOf({ name, url }: PartKey): string {
  return `${name}.part-${createHash('sha256').update(url).digest('hex').slice(0, 8)}-`;
}
