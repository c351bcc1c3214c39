import type { Disk } from '../../../coordinator/checkpoint/disk.js';

/** `disk`, but for what `changes` brings. */
function diskWith(disk: Disk, changes: Partial<Disk>): Disk {
  return {
    list: (folder) => disk.list(folder),
    read: (file) => disk.read(file),
    create: (file) => disk.create(file),
    rename: (from, to) => disk.rename(from, to),
    remove: (file) => disk.remove(file),
    makeFolder: (folder) => disk.makeFolder(folder),
    syncFolder: (folder) => disk.syncFolder(folder),
    ...changes,
  };
}

const nothing = (): Promise<void> => Promise.resolve();

/** A file's sync does nothing. */
export function withoutFileSync(disk: Disk): Disk {
  const create = async (file: string) => ({ ...(await disk.create(file)), sync: nothing });
  return diskWith(disk, { create });
}

/** A folder's sync does nothing. */
export function withoutFolderSync(disk: Disk): Disk {
  return diskWith(disk, { syncFolder: nothing });
}

/** A file is synced after it has got its name. */
export function renamingFirst(disk: Disk): Disk {
  let finish = nothing;
  return diskWith(disk, {
    async create(name) {
      const file = await disk.create(name);
      finish = async () => {
        await file.sync();
        await file.close();
      };
      return { ...file, sync: nothing, close: nothing };
    },
    async rename(from, to) {
      await disk.rename(from, to);
      await finish();
    },
  });
}

/** Files are written where they are to stay, not beside. */
export function withoutRename(disk: Disk): Disk {
  return diskWith(disk, {
    create: (file) => disk.create(file.replace(/\.(step-\d+\.ckpt)\.\d+$/, '$1')),
    rename: nothing,
  });
}
