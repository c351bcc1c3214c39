import { describe, expect, test } from 'vitest';
import type { Disk } from '../../../coordinator/checkpoint/disk.js';
import { encodeCheckpoint } from '../../../coordinator/checkpoint/file.js';
import { CheckpointStore } from '../../../coordinator/checkpoint/store.js';
import {
  renamingFirst,
  withoutFileSync,
  withoutFolderSync,
  withoutRename,
} from './broken-disks.js';
import { checkpointOf, FOLDER, nameOf, pathOf, unexpected } from './checkpoints.js';
import { FaultyDisk } from './faulty-disk.js';

/** Writes until the disk is gone. */
interface Scenario {
  /** Sound ones that are there before. */
  readonly before: readonly number[];
  /** One that is there too, and damaged. */
  readonly damaged?: number;
  readonly writes: readonly number[];
}

const SEEDS = Array.from({ length: 10 }, (_, seed) => seed);
const fresh: Scenario = { before: [], writes: [100, 200, 300, 300, 400, 500] };
const resumed: Scenario = {
  before: [700, 800, 900],
  damaged: 1000,
  writes: [950, 1000, 1050, 1100, 1150],
};
const scenarios = [
  ['of a new run', fresh],
  ['of a run that goes on from before a damaged one', resumed],
] as const;

type Ending = 'the power fails' | 'the process is killed';

interface Crash {
  readonly disk: FaultyDisk;
  /** The last step whose write was reported as done; 0 if none. */
  readonly done: number;
  /** What would make somebody lose work; undefined if nothing. */
  readonly problem: 'lost' | 'damaged' | undefined;
  readonly newest: number;
}

function prepared({ before, damaged }: Scenario, seed: number): FaultyDisk {
  const disk = new FaultyDisk(seed);
  for (const step of before) disk.put(pathOf(step), encodeCheckpoint(checkpointOf(step)));
  if (damaged !== undefined) {
    disk.put(pathOf(damaged), encodeCheckpoint(checkpointOf(damaged)));
    disk.flipBit(pathOf(damaged));
  }
  return disk;
}

/** How many operations it takes to write everything. */
async function operationsOf(scenario: Scenario, wrap: (disk: Disk) => Disk): Promise<number> {
  const disk = prepared(scenario, 0);
  const store = new CheckpointStore(FOLDER, wrap(disk));
  for (const step of scenario.writes) await store.write(checkpointOf(step));
  return disk.log.length;
}

async function crash(
  scenario: Scenario,
  { after, seed, ending, wrap }: { after: number; seed: number; ending: Ending; wrap: Wrap },
): Promise<Crash> {
  const disk = prepared(scenario, seed);
  const store = new CheckpointStore(FOLDER, wrap(disk));
  disk.losePowerAfter(after);
  let done = scenario.before.at(-1) ?? 0;
  try {
    for (const step of scenario.writes) {
      await store.write(checkpointOf(step));
      done = step;
    }
  } catch {
    expect(disk.fired.get('power failure')).toBe(1);
  }
  if (ending === 'the power fails') disk.restart();
  else disk.revive();
  const notices: string[] = [];
  const found = await new CheckpointStore(FOLDER, disk)
    .newest((sentence) => notices.push(sentence))
    .catch(() => undefined);
  if (found) expect(found).toEqual(checkpointOf(found.meta.step));
  const newest = found?.meta.step ?? 0;
  const known = scenario.damaged === undefined ? '' : nameOf(scenario.damaged);
  const torn = notices.filter((notice) => known === '' || !notice.includes(known));
  const problem = newest < done ? 'lost' : torn.length > 0 ? 'damaged' : undefined;
  return { disk, done, problem, newest };
}

type Wrap = (disk: Disk) => Disk;
const asItIs: Wrap = (disk) => disk;

/** A crash before each operation of the scenario and after the last, with each seed. */
async function everyCrash(scenario: Scenario, ending: Ending, wrap: Wrap): Promise<Crash[]> {
  const operations = await operationsOf(scenario, wrap);
  const crashes: Crash[] = [];
  for (let after = 0; after <= operations; after++) {
    for (const seed of SEEDS) crashes.push(await crash(scenario, { after, seed, ending, wrap }));
  }
  return crashes;
}

describe.each(scenarios)('wherever the writes %s break off', (_, scenario) => {
  test.each<Ending>(['the power fails', 'the process is killed'])(
    'because %s, the last checkpoint that was done is there, or a newer one',
    async (ending) => {
      const crashes = await everyCrash(scenario, ending, asItIs);
      expect(crashes.length).toBeGreaterThan(400);
      expect(crashes.filter(({ problem }) => problem !== undefined)).toEqual([]);
    },
  );

  test('the run goes on from it, and leaves nothing behind but its last three', async () => {
    for (const { disk, newest } of await everyCrash(scenario, 'the power fails', asItIs)) {
      const store = new CheckpointStore(FOLDER, disk);
      for (const step of [newest + 7, 1200, 1300, 1400]) await store.write(checkpointOf(step));
      expect(disk.names(FOLDER)).toEqual([1200, 1300, 1400].map(nameOf));
      expect(await store.newest(unexpected)).toEqual(checkpointOf(1400));
    }
  });
});

describe('the crashes above find what is wrong with', () => {
  const broken: readonly [string, Wrap, Crash['problem'][]][] = [
    ['a file that is not synced', withoutFileSync, ['lost']],
    ['a folder that is not synced', withoutFolderSync, ['lost']],
    ['a rename before the sync', renamingFirst, ['lost', 'damaged']],
    ['a file written in place', withoutRename, ['lost', 'damaged']],
  ];
  test.each(broken)('%s', async (_, wrap, problems) => {
    const crashes = await everyCrash(fresh, 'the power fails', wrap);
    for (const problem of problems) {
      expect(crashes.filter((found) => found.problem === problem).length).toBeGreaterThan(2);
    }
  });

  test('a file written in place, even if only the process is killed', async () => {
    const crashes = await everyCrash(fresh, 'the process is killed', withoutRename);
    expect(crashes.filter(({ problem }) => problem === 'lost').length).toBeGreaterThan(2);
  });
});
