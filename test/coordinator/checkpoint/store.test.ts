import { beforeEach, describe, expect, test, vi } from 'vitest';
import { encodeCheckpoint } from '../../../coordinator/checkpoint/file.js';
import { CheckpointStore } from '../../../coordinator/checkpoint/store.js';
import { sha256 } from '../../../src/sha256.js';
import { dtrainError } from '../../data/helpers.js';
import { checkpointOf, FOLDER, nameOf, pathOf, unexpected } from './checkpoints.js';
import { FaultyDisk } from './faulty-disk.js';

let disk: FaultyDisk;
let store: CheckpointStore;

beforeEach(() => {
  disk = new FaultyDisk(1);
  store = new CheckpointStore(FOLDER, disk);
});

async function write(...steps: readonly number[]): Promise<void> {
  for (const step of steps) await store.write(checkpointOf(step));
}

/** The step of the newest checkpoint, and what was said about those above. */
async function newest(): Promise<{ step: number | undefined; notices: string[] }> {
  const notices: string[] = [];
  const found = await store.newest((sentence) => notices.push(sentence));
  return { step: found?.meta.step, notices };
}

describe('newest', () => {
  test('is what was written last', async () => {
    await write(100, 200);
    expect(await store.newest(unexpected)).toEqual(checkpointOf(200));
  });

  test('is nothing where nothing was written', async () => {
    expect(await store.newest(unexpected)).toBeUndefined();
    await disk.makeFolder(FOLDER);
    expect(await store.newest(unexpected)).toBeUndefined();
  });

  test('goes by the number, also where names do not sort', async () => {
    await write(999_999_999, 1_000_000_000);
    expect(disk.names(FOLDER)).toEqual(['step-1000000000.ckpt', 'step-999999999.ckpt']);
    expect((await newest()).step).toBe(1_000_000_000);
  });

  test('names each damaged one, and takes the one before', async () => {
    await write(100, 200, 300);
    disk.flipBit(pathOf(200));
    disk.put(pathOf(300), new Uint8Array(7));
    expect(await newest()).toEqual({
      step: 100,
      notices: [
        `${pathOf(300)} is damaged: it has only 7 bytes; the checkpoint before it is used.`,
        `${pathOf(200)} is damaged: its checksum does not match; the checkpoint before it is used.`,
      ],
    });
  });

  test('leaves one of another version, and one that cannot be read', async () => {
    await write(100, 200);
    const bytes = Buffer.from(encodeCheckpoint(checkpointOf(300)));
    bytes.writeUInt32LE(2, 8);
    bytes.write(sha256(bytes.subarray(0, -32)), bytes.length - 32, 'hex');
    disk.put(pathOf(300), bytes);
    disk.failAfter(2, 'EIO');
    expect(await newest()).toEqual({
      step: 100,
      notices: [
        `${pathOf(300)} was written by another version of dtrain; the checkpoint before it is used.`,
        `${pathOf(200)} cannot be read: the disk has a fault; the checkpoint before it is used.`,
      ],
    });
    expect(disk.fired.get('EIO')).toBe(1);
  });

  test('is an error if all are damaged', async () => {
    await write(100, 200);
    disk.flipBit(pathOf(100));
    disk.flipBit(pathOf(200));
    const parts = [pathOf(100), 'is damaged: its checksum does not match', 'no checkpoint before'];
    await expect(newest()).rejects.toThrow(dtrainError('CHECKPOINT', ...parts));
  });

  test('is an error if the folder cannot be read', async () => {
    await write(100);
    disk.failAfter(0, 'EACCES');
    const parts = [FOLDER, 'access is denied'];
    await expect(newest()).rejects.toThrow(dtrainError('CHECKPOINT', ...parts));
  });

  const others = ['step-1.ckpt', 'step-0000000002.ckpt', 'step-000000003.ckpt.bak', 'step-x.ckpt'];
  test.each([...others, 'Step-000000004.ckpt', 'step-00000005e.ckpt', 'step--00000006.ckpt'])(
    'takes no notice of a file that is named %s',
    async (name) => {
      await write(1);
      disk.put(`${FOLDER}/${name}`, new Uint8Array(3));
      expect(await newest()).toEqual({ step: 1, notices: [] });
      await write(2, 3, 4, 5);
      expect(disk.names(FOLDER)).toContain(name);
    },
  );
});

describe('write', () => {
  test('keeps the last three', async () => {
    await write(100, 200, 300, 400);
    expect(disk.names(FOLDER)).toEqual([200, 300, 400].map(nameOf));
  });

  test('keeps as many as it is told', async () => {
    store = new CheckpointStore(FOLDER, disk, 1);
    await write(100, 200);
    expect(disk.names(FOLDER)).toEqual([nameOf(200)]);
  });

  test('removes none before the new one is sure to last', async () => {
    await write(100, 200, 300);
    const from = disk.log.length;
    await write(400);
    const order = disk.log.slice(from);
    expect(order.indexOf('syncFolder')).toBeGreaterThan(order.indexOf('rename'));
    expect(order.indexOf('remove')).toBeGreaterThan(order.indexOf('syncFolder'));
  });

  test('takes the place of one of the same step', async () => {
    await write(100, 200);
    disk.flipBit(pathOf(200));
    await write(200);
    expect(disk.names(FOLDER)).toEqual([100, 200].map(nameOf));
    expect(await newest()).toEqual({ step: 200, notices: [] });
  });

  test.each([
    ['below', 250, [100, 200, 250], [200, 250, 400]],
    ['on', 300, [100, 200, 300], [200, 300, 400]],
    ['above', 350, [100, 200, 300, 350], [200, 300, 350, 400]],
  ])('%s a damaged one, that takes no sound one’s place', async (_, step, first, second) => {
    await write(100, 200, 300);
    disk.flipBit(pathOf(300));
    store = new CheckpointStore(FOLDER, disk);
    expect((await newest()).step).toBe(200);
    await write(step);
    expect(disk.names(FOLDER)).toEqual(first.map(nameOf));
    expect(await newest()).toEqual({ step, notices: [] });
    await write(400);
    expect(disk.names(FOLDER)).toEqual(second.map(nameOf));
    await write(500, 600);
    expect(disk.names(FOLDER)).toEqual([400, 500, 600].map(nameOf));
  });

  test('reads nothing again that it knows to be sound', async () => {
    await write(100, 200, 300, 400);
    expect(disk.log).not.toContain('read');
    store = new CheckpointStore(FOLDER, disk);
    await write(500, 600, 700);
    expect(disk.log.filter((operation) => operation === 'read')).toHaveLength(2);
  });

  test('is the newest after that, even if a run that is given up had got further', async () => {
    await write(700, 800, 900);
    await write(100);
    expect(await newest()).toEqual({ step: 100, notices: [] });
  });

  test('removes none that it cannot read just now, while it has not three others', async () => {
    await write(100, 200);
    store = new CheckpointStore(FOLDER, disk);
    disk.failAfter(9, 'EIO');
    await write(300);
    expect(disk.fired.get('EIO')).toBe(1);
    expect(disk.names(FOLDER)).toEqual([100, 200, 300].map(nameOf));
  });

  test('makes the folder again if it is gone', async () => {
    await write(100);
    disk.removeFolder(FOLDER);
    await write(200);
    expect(await newest()).toEqual({ step: 200, notices: [] });
  });

  test('succeeds although nothing can be removed, and makes up for it later', async () => {
    await write(100, 200, 300);
    disk.failAfter(8, 'EACCES');
    await write(400);
    expect(disk.fired.get('EACCES')).toBe(1);
    expect(disk.names(FOLDER)).toHaveLength(4);
    await write(500);
    expect(disk.names(FOLDER)).toEqual([300, 400, 500].map(nameOf));
  });

  test('leaves no temporary file behind if it fails', async () => {
    await write(100);
    disk.failAfter(2, 'ENOSPC');
    await expect(write(200)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(disk.names(FOLDER)).toEqual([nameOf(100)]);
  });

  test('leaves the temporary file of another user who lives', async () => {
    const theirs = `.${nameOf(200)}.1`;
    disk.put(`${FOLDER}/${theirs}`, new Uint8Array(3));
    vi.spyOn(process, 'kill').mockImplementationOnce(() => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    });
    await write(300);
    expect(disk.names(FOLDER)).toContain(theirs);
  });

  test('removes what killed writers left, and nothing of those that live', async () => {
    const living = `.${nameOf(200)}.${process.ppid}`;
    const left = [`.${nameOf(200)}.${process.pid}`, `.${nameOf(100)}.4194305`];
    const others = ['.step-1.ckpt', '.notes', `.${nameOf(100)}.part`];
    for (const name of [living, ...left, ...others]) {
      disk.put(`${FOLDER}/${name}`, new Uint8Array(3));
    }
    await write(300);
    expect(disk.names(FOLDER)).toEqual([...others, living, nameOf(300)].sort());
  });
});
