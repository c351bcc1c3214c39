import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { nodeDisk } from '../../../coordinator/checkpoint/disk.js';
import { encodeCheckpoint } from '../../../coordinator/checkpoint/file.js';
import { CheckpointStore } from '../../../coordinator/checkpoint/store.js';
import { dtrainError, temporaryFolder } from '../../data/helpers.js';
import { checkpointOf, nameOf, unexpected } from './checkpoints.js';

const root = process.getuid?.() === 0;
const FULL_FILE = '/dev/full';

/** What all open files have in common, for spies. */
async function fileHandles(): Promise<FileHandle> {
  const handle = await open(fileURLToPath(import.meta.url));
  await handle.close();
  return Object.getPrototypeOf(handle) as FileHandle;
}

let folder: string;
let store: CheckpointStore;

beforeEach(async () => {
  folder = path.join(await temporaryFolder(), 'run/checkpoints');
  store = new CheckpointStore(folder);
});

describe('on a real disk', () => {
  test('a checkpoint is a file, and the last three are kept', async () => {
    for (const step of [1, 2, 3, 4]) await store.write(checkpointOf(step));
    expect((await readdir(folder)).sort()).toEqual([2, 3, 4].map(nameOf));
    const file = await readFile(path.join(folder, nameOf(4)));
    expect(file.equals(encodeCheckpoint(checkpointOf(4)))).toBe(true);
    expect(await new CheckpointStore(folder).newest(unexpected)).toEqual(checkpointOf(4));
  });

  test('there is none where there is no folder', async () => {
    expect(await store.newest(unexpected)).toBeUndefined();
  });

  test('a folder that is removed between two writes is made again', async () => {
    await store.write(checkpointOf(1));
    await rm(folder, { recursive: true });
    await store.write(checkpointOf(2));
    expect(await readdir(folder)).toEqual([nameOf(2)]);
  });

  test('what a killed writer left is removed', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, `.${nameOf(1)}.${pid}`), 'half of it');
    await store.write(checkpointOf(2));
    expect(await readdir(folder)).toEqual([nameOf(2)]);
  });

  test('a file in the place of the folder', async () => {
    await mkdir(path.dirname(folder), { recursive: true });
    await writeFile(folder, 'mine');
    await expect(store.write(checkpointOf(1))).rejects.toMatchObject({ code: 'EEXIST' });
    const below = new CheckpointStore(path.join(folder, 'checkpoints'));
    await expect(below.write(checkpointOf(1))).rejects.toMatchObject({ code: 'ENOTDIR' });
    const problem = dtrainError('CHECKPOINT', folder, 'a part of the path is not a folder');
    await expect(store.newest(unexpected)).rejects.toThrow(problem);
    expect(await readFile(folder, 'utf8')).toBe('mine');
  });

  test('a folder in the place of a checkpoint', async () => {
    await store.write(checkpointOf(1));
    await mkdir(path.join(folder, nameOf(2)));
    await expect(store.write(checkpointOf(2))).rejects.toMatchObject({ code: 'EISDIR' });
    const notices: string[] = [];
    const newest = await store.newest((sentence) => notices.push(sentence));
    expect(newest).toEqual(checkpointOf(1));
    expect(notices).toEqual([
      expect.stringMatching(/000002.ckpt cannot be read: a folder of this/),
    ]);
  });

  test.skipIf(root)(
    root ? 'no access (skipped: root has access to everything)' : 'no access',
    async () => {
      await store.write(checkpointOf(1));
      await chmod(folder, 0o555);
      await expect(store.write(checkpointOf(2))).rejects.toMatchObject({ code: 'EACCES' });
      await chmod(folder, 0o755);
      expect(await store.newest(unexpected)).toEqual(checkpointOf(1));
    },
  );

  const hasFull = existsSync(FULL_FILE);
  test.skipIf(!hasFull)(
    hasFull ? 'a full disk' : `a full disk (skipped: there is no ${FULL_FILE})`,
    async () => {
      await store.write(checkpointOf(1));
      const create = (): ReturnType<typeof nodeDisk.create> => nodeDisk.create(FULL_FILE);
      const onFull = new CheckpointStore(folder, { ...nodeDisk, create });
      await expect(onFull.write(checkpointOf(2))).rejects.toMatchObject({ code: 'ENOSPC' });
      expect(await store.newest(unexpected)).toEqual(checkpointOf(1));
    },
  );
});

describe('the operations', () => {
  type Write = (bytes: Uint8Array, from: number, length: number) => unknown;

  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('a write goes on until all bytes are written', async () => {
    const handles = (await fileHandles()) as unknown as { write: Write };
    const { write } = handles;
    const short = vi.spyOn(handles, 'write').mockImplementation(function (
      this: unknown,
      bytes,
      from,
    ) {
      return write.call(this, bytes, from, Math.min(7, bytes.length - from));
    });
    const bytes = encodeCheckpoint(checkpointOf(1));
    const file = path.join(folder, '../file');
    await nodeDisk.makeFolder(path.dirname(file));
    const created = await nodeDisk.create(file);
    await created.write(bytes);
    await created.close();
    expect(short).toHaveBeenCalledTimes(Math.ceil(bytes.length / 7));
    expect((await readFile(file)).equals(bytes)).toBe(true);
  });

  test('what was made lasts: the system is told for the file and each folder', async () => {
    const sync = vi.spyOn(await fileHandles(), 'sync');
    await nodeDisk.makeFolder(folder);
    expect(sync).toHaveBeenCalledTimes(2);
    await nodeDisk.makeFolder(folder);
    expect(sync).toHaveBeenCalledTimes(2);
    await nodeDisk.syncFolder(folder);
    expect(sync).toHaveBeenCalledTimes(3);
    const file = await nodeDisk.create(path.join(folder, 'file'));
    await file.sync();
    await file.close();
    expect(sync).toHaveBeenCalledTimes(4);
  });

  test('a folder that is not there cannot be synced', async () => {
    await expect(nodeDisk.syncFolder(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a file that is there begins anew', async () => {
    await mkdir(folder, { recursive: true });
    const file = path.join(folder, 'file');
    await writeFile(file, 'much that was there before');
    const created = await nodeDisk.create(file);
    await created.write(Buffer.from('new'));
    await created.sync();
    await created.close();
    expect(await readFile(file, 'utf8')).toBe('new');
  });
});

describe('a process that is killed while it writes', () => {
  const script = fileURLToPath(new URL('write-forever.ts', import.meta.url));

  test('leaves its last checkpoint, or a newer one', async () => {
    let saved = 0;
    for (const more of [1, 4, 9]) {
      const child = spawn(process.execPath, ['--import', 'tsx', script, folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const goal = saved + more;
      for await (const line of createInterface(child.stdout)) {
        saved = Number(line);
        if (saved >= goal) child.kill('SIGKILL');
      }
      expect(saved).toBeGreaterThanOrEqual(goal);
      const newest = await store.newest(unexpected);
      expect(newest).toEqual(checkpointOf(newest?.meta.step ?? 0));
      expect(newest?.meta.step).toBeGreaterThanOrEqual(saved);
      saved = newest?.meta.step ?? 0;
    }
    await store.write(checkpointOf(saved + 1));
    const last = [saved - 1, saved, saved + 1].map(nameOf);
    expect((await readdir(folder)).sort()).toEqual(last);
  });
});
