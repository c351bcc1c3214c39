import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from './errors.js';

/** Makes a folder and those above it, if they are not there; they outlast a power failure. */
export async function makeFolder(folder: string): Promise<void> {
  const here = path.resolve(folder);
  const highest = await mkdir(here, { recursive: true });
  if (highest === undefined) return;
  const top = path.dirname(highest);
  let above = here;
  while (above !== top) {
    above = path.dirname(above);
    await syncFolder(above);
  }
}

/** After this a folder's names outlast a power failure. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // Windows opens no folders; there a rename is on the disk by itself.
    const refused = ['EPERM', 'EISDIR', 'EACCES'].includes(systemCode(error) ?? '');
    if (process.platform !== 'win32' || !refused) throw error;
  }
}
