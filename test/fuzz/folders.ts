import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';

/** The files of a folder and of those in it, as paths from there. */
async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const kinds = await Promise.all(names.map((name) => lstat(path.join(folder, name))));
  return names.filter((_, index) => kinds[index]?.isDirectory() === false);
}

/** Nothing is in a folder but shards, in `within`, each named by its sum. */
export async function expectShardsAlone(folder: string, within: string): Promise<void> {
  const files = await filesIn(folder);
  for (const file of files) {
    expect(path.dirname(file), file).toBe(within);
    const sum = createHash('sha256').update(await readFile(path.join(folder, file)));
    expect(path.basename(file)).toBe(sum.digest('hex'));
  }
}
