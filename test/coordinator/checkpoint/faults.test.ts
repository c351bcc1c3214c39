import { describe, expect, test } from 'vitest';
import { encodeCheckpoint } from '../../../coordinator/checkpoint/file.js';
import { CheckpointStore } from '../../../coordinator/checkpoint/store.js';
import { CheckpointWriter } from '../../../coordinator/checkpoint/writer.js';
import { Dice } from '../../sim/dice.js';
import { checkpointOf, FOLDER, nameOf, pathOf, unexpected } from './checkpoints.js';
import { type FaultCode, FaultyDisk, type Operation } from './faulty-disk.js';

const REASONS: Record<FaultCode, string> = {
  ENOSPC: 'the disk is full',
  EACCES: 'access is denied',
  EIO: 'the disk has a fault',
};
const codes = Object.keys(REASONS) as FaultCode[];
/** What it takes to write a fourth checkpoint: until the first `list` it is not done. */
const operations: readonly Operation[] = [
  'makeFolder',
  'create',
  'write',
  'sync',
  'close',
  'rename',
  'syncFolder',
  'list',
  'read',
  'read',
  'remove',
];
const needed = operations.slice(0, operations.indexOf('list'));

/** A disk with the checkpoints of steps 100, 200 and 300. */
function diskWithThree(seed: number): FaultyDisk {
  const disk = new FaultyDisk(seed);
  for (const step of [100, 200, 300]) disk.put(pathOf(step), encodeCheckpoint(checkpointOf(step)));
  return disk;
}

test('the operations of a write are those below', async () => {
  const disk = diskWithThree(1);
  await new CheckpointStore(FOLDER, disk).write(checkpointOf(400));
  expect(disk.log).toEqual(operations);
});

describe.each(codes)('%s', (code) => {
  test.each(needed)('at "%s" is told, harms nothing, and is made up for', async (operation) => {
    const disk = diskWithThree(1);
    const store = new CheckpointStore(FOLDER, disk);
    const told: (string | number)[] = [];
    const writer = new CheckpointWriter({
      store,
      onNotice: (sentence) => told.push(sentence),
      onSaved: (step) => told.push(step),
      pause: async (ms) => {
        told.push(ms);
        for (const step of [100, 200, 300]) {
          expect(await disk.read(pathOf(step))).toEqual(encodeCheckpoint(checkpointOf(step)));
        }
        const newest = await store.newest(unexpected);
        expect(newest?.meta.step).toBe(operation === 'syncFolder' ? 400 : 300);
      },
    });
    disk.failAfter(operations.indexOf(operation), code);
    writer.save(checkpointOf(400));
    await settled(() => told.includes(400));
    expect(disk.fired.get(code)).toBe(1);
    expect(told).toEqual([
      `Checkpoint of step 400 could not be written: ${REASONS[code]}. ` +
        'It is tried again; the run goes on.',
      1000,
      'Checkpoints are written again, the latest of step 400.',
      400,
    ]);
    disk.restart();
    expect(await store.newest(unexpected)).toEqual(checkpointOf(400));
    expect(disk.names(FOLDER)).toContain(nameOf(400));
    expect(await writer.close()).toBe(true);
  });

  test.each(['list', 'read', 'remove'] as const)(
    'at "%s" is not worth a word',
    async (operation) => {
      const disk = diskWithThree(1);
      const writer = new CheckpointWriter({
        store: new CheckpointStore(FOLDER, disk),
        onNotice: unexpected,
      });
      disk.failAfter(operations.indexOf(operation), code);
      writer.save(checkpointOf(400));
      expect(await writer.close()).toBe(true);
      expect(disk.fired.get(code)).toBe(1);
      expect(disk.names(FOLDER)).toEqual([100, 200, 300, 400].map(nameOf));
    },
  );
});

test.each(codes)(
  '%s that lasts is told once, and costs no checkpoint that was there',
  async (code) => {
    const disk = diskWithThree(1);
    const store = new CheckpointStore(FOLDER, disk);
    const told: (string | number)[] = [];
    const writer = new CheckpointWriter({
      store,
      onNotice: (sentence) => told.push(sentence),
      onSaved: (step) => told.push(step),
      pause: () => new Promise(() => undefined),
    });
    disk.refusing = code;
    for (const [tries, step] of [400, 500, 600].entries()) {
      writer.save(checkpointOf(step));
      await settled(() => disk.fired.get(code) === tries + 1);
      expect(disk.names(FOLDER)).toEqual([100, 200, 300].map(nameOf));
    }
    disk.refusing = undefined;
    writer.save(checkpointOf(700));
    expect(await writer.close()).toBe(true);
    expect(told).toEqual([
      expect.stringContaining(`step 400 could not be written: ${REASONS[code]}.`),
      'Checkpoints are written again, the latest of step 700.',
      700,
    ]);
    expect(disk.names(FOLDER)).toEqual([200, 300, 700].map(nameOf));
  },
);

test('a sync that failed is not believed the second time: the file is written anew', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const disk = diskWithThree(seed);
    const store = new CheckpointStore(FOLDER, disk);
    // The file that could not be synced stays, since it cannot be removed either.
    disk.failAfter(operations.indexOf('sync'), 'EIO');
    disk.failAfter(operations.indexOf('sync') + 2, 'EIO');
    await expect(store.write(checkpointOf(400))).rejects.toMatchObject({ code: 'EIO' });
    expect(disk.fired.get('EIO')).toBe(2);
    await store.write(checkpointOf(400));
    disk.restart();
    expect(await store.newest(unexpected)).toEqual(checkpointOf(400));
  }
});

describe('a life full of faults', () => {
  const LIVES = 8;

  /** A run that is ended again and again, by its machine or alone, on a disk that fails at times. */
  async function live(seed: number): Promise<FaultyDisk> {
    const dice = new Dice(seed);
    const disk = new FaultyDisk(seed);
    let safe = 0;
    for (let life = 0; life < LIVES; life++) {
      const store = new CheckpointStore(FOLDER, disk);
      const newest = await store.newest(() => undefined);
      expect(newest).toEqual(newest && checkpointOf(newest.meta.step));
      const step = newest?.meta.step ?? 0;
      expect(step, `seed ${seed}, life ${life}`).toBeGreaterThanOrEqual(safe);
      const writer = new CheckpointWriter({
        store,
        onNotice: () => undefined,
        onSaved: (saved) => (safe = saved),
        pause: () => Promise.resolve(),
      });
      if (dice.chance(0.8)) disk.losePowerAfter(dice.whole(0, 60));
      if (dice.chance(0.5)) disk.failAfter(dice.whole(0, 30), dice.chance(0.5) ? 'EIO' : 'ENOSPC');
      for (let next = 1; next <= 5; next++) {
        writer.save(checkpointOf(step + 10 * next));
        await settled(() => dice.chance(0.05));
      }
      await writer.close();
      if (dice.chance(0.5)) disk.restart();
      else disk.revive();
      safe = damageNewest(disk, dice, safe);
    }
    return disk;
  }

  /** Now and then, if there is another. Returns the step that the next life must reach. */
  function damageNewest(disk: FaultyDisk, dice: Dice, safe: number): number {
    const [highest = 0, second] = soundSteps(disk);
    expect(highest).toBeGreaterThanOrEqual(safe);
    if (second === undefined || !dice.chance(0.3)) return safe;
    disk.flipBit(pathOf(highest));
    return Math.min(safe, second);
  }

  test('goes on from what was saved, always', async () => {
    let lives = 0;
    let failures = 0;
    for (let seed = 0; seed < 100; seed++) {
      const { fired } = await live(seed);
      lives += fired.get('power failure') ?? 0;
      failures += (fired.get('EIO') ?? 0) + (fired.get('ENOSPC') ?? 0);
    }
    expect(lives).toBeGreaterThan(200);
    expect(failures).toBeGreaterThan(100);
  });
});

/** The steps of the checkpoints that can be read, the highest first. */
function soundSteps(disk: FaultyDisk): number[] {
  return disk
    .names(FOLDER)
    .map((name) => Number(/^step-(\d+)/.exec(name)?.[1]))
    .filter((step) => {
      const content = disk.content(pathOf(step));
      return content?.equals(encodeCheckpoint(checkpointOf(step)));
    })
    .sort((one, other) => other - one);
}

/** Lets promises go on until `holds`; fails if it never does. */
async function settled(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (holds()) return;
    await Promise.resolve();
  }
  throw new Error('it did not come to that');
}
