import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../sha256.js';

/**
 * Compiled libraries, which this process will run: so they lie in a folder that only this user can
 * write, and each is in a file named by its key and by the SHA-256 of its content.
 */
export class ObjectCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The library's file, if it is there and whole. A damaged one is removed. */
  async get(key: string): Promise<string | undefined> {
    await this.#prepare();
    const names = await readdir(this.#folder);
    for (const name of names.filter((each) => each.startsWith(`${key}-`))) {
      const file = path.join(this.#folder, name);
      const content = await readFile(file).catch(() => undefined);
      if (content && name === fileName(key, content)) return file;
      await rm(file, { force: true });
    }
    return undefined;
  }

  /**
   * Makes a library, in a folder of its own, and keeps it.
   * @returns its file
   */
  async put(key: string, make: (folder: string) => Promise<string>): Promise<string> {
    await this.#prepare();
    const workshop = path.join(
      this.#folder,
      `.${key.slice(0, 16)}-${randomBytes(6).toString('hex')}`,
    );
    await mkdir(workshop, { mode: 0o700 });
    try {
      const made = await make(workshop);
      const file = path.join(this.#folder, fileName(key, await readFile(made)));
      await rename(made, file);
      return file;
    } finally {
      await rm(workshop, { recursive: true, force: true });
    }
  }

  async #prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = await lstat(this.#folder);
    // Windows has neither owners nor modes here.
    if (process.getuid === undefined) return;
    if (uid !== process.getuid() || (mode & 0o022) !== 0) {
      throw new Error(`${this.#folder} can be written by others than this user`);
    }
  }
}

function fileName(key: string, content: Uint8Array): string {
  return `${key}-${sha256(content)}.so`;
}
