import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { makeFolder, syncFolder } from '../../src/durable-folder.js';

/** What checkpoints need of a disk; an operation that fails rejects with the system's error. */
export interface Disk {
  /** The names in a folder. */
  list(folder: string): Promise<readonly string[]>;
  read(file: string): Promise<Uint8Array>;
  /** Opens an empty file, whatever was there before. */
  create(file: string): Promise<DiskFile>;
  /** Puts a file in the place of another, or where none was, in one go. */
  rename(from: string, to: string): Promise<void>;
  remove(file: string): Promise<void>;
  /** Makes a folder and those above it, if they are not there; they outlast a power failure. */
  makeFolder(folder: string): Promise<void>;
  /** After this the folder's names outlast a power failure. */
  syncFolder(folder: string): Promise<void>;
}

/** A file that is being written. */
export interface DiskFile {
  /** Adds all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** After this what was written outlasts a power failure; the file's name may not. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** This machine's disk. */
export const nodeDisk: Disk = {
  list: (folder) => readdir(folder),
  read: (file) => readFile(file),
  create,
  rename,
  remove: (file) => rm(file),
  makeFolder,
  syncFolder,
};

async function create(file: string): Promise<DiskFile> {
  const handle = await open(file, 'w');
  return {
    async write(bytes) {
      for (let from = 0; from < bytes.length;) {
        const { bytesWritten } = await handle.write(bytes, from);
        if (bytesWritten === 0) throw new Error('the disk takes no more bytes');
        from += bytesWritten;
      }
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}
