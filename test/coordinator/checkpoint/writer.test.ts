import v8 from 'node:v8';
import vm from 'node:vm';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Checkpoint } from '../../../coordinator/checkpoint/file.js';
import {
  CheckpointWriter,
  type CheckpointWriterOptions,
} from '../../../coordinator/checkpoint/writer.js';
import { checkpointOf, unexpected } from './checkpoints.js';

interface Write {
  readonly step: number;
  readonly succeed: () => void;
  readonly fail: (error: unknown) => void;
}

const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });

/** Everything that the writer did, in order, but for the writes. */
let told: string[];
/** The writes that were begun; each goes on when the test says so. */
let writes: Write[];
/** Ends the pauses, each once. */
let pauses: (() => void)[];

beforeEach(() => {
  [told, writes, pauses] = [[], [], []];
});

function writerWith(options: Partial<CheckpointWriterOptions> = {}): CheckpointWriter {
  return new CheckpointWriter({
    store: {
      write: ({ meta: { step } }) =>
        new Promise((succeed, fail) => {
          writes.push({ step, succeed, fail });
        }),
    },
    onNotice: (sentence) => told.push(sentence),
    onSaved: (step) => told.push(`saved ${step}`),
    pause: (ms) => {
      told.push(`pause ${ms}`);
      return new Promise((resolve) => pauses.push(resolve));
    },
    ...options,
  });
}

/** Lets everything happen that can. */
async function calm(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function succeed(): Promise<void> {
  writes.at(-1)?.succeed();
  await calm();
}

async function fail(error: unknown = full): Promise<void> {
  writes.at(-1)?.fail(error);
  await calm();
}

function steps(): number[] {
  return writes.map(({ step }) => step);
}

function failure(step: number, reason: string): string {
  return `Checkpoint of step ${step} could not be written: ${reason}. It is tried again; the run goes on.`;
}

describe('one write at a time', () => {
  test('in the order of the steps, and each is told when it is done', async () => {
    const writer = writerWith();
    for (const step of [1, 2, 3]) {
      writer.save(checkpointOf(step));
      expect(told).not.toContain(`saved ${step}`);
      await succeed();
    }
    expect(steps()).toEqual([1, 2, 3]);
    expect(told).toEqual(['saved 1', 'saved 2', 'saved 3']);
    expect(await writer.close()).toBe(true);
  });

  test('and only the latest of those that wait', async () => {
    const writer = writerWith();
    for (const step of [1, 2, 3, 4]) writer.save(checkpointOf(step));
    await calm();
    expect(steps()).toEqual([1]);
    await succeed();
    expect(steps()).toEqual([1, 4]);
    await succeed();
    expect(told).toEqual(['saved 1', 'saved 4']);
  });

  test('and the others are let go: two are held at most', async () => {
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    const writer = writerWith();
    const saved: WeakRef<Checkpoint>[] = [];
    const held = async (): Promise<number> => {
      await calm();
      collect();
      return saved.filter((reference) => reference.deref()).length;
    };
    for (let step = 1; step <= 10; step++) {
      const checkpoint = checkpointOf(step);
      saved.push(new WeakRef(checkpoint));
      writer.save(checkpoint);
    }
    expect(await held()).toBe(2);
    await fail();
    expect(steps()).toEqual([1, 10]);
    expect(await held()).toBeLessThanOrEqual(2);
  });
});

describe('a failure', () => {
  test('is told once, and tried again after 1 s, doubling to 30 s', async () => {
    const writer = writerWith();
    writer.save(checkpointOf(938));
    for (let failures = 0; failures < 7; failures++) {
      await fail();
      pauses.shift()?.();
      await calm();
    }
    const waits = [1, 2, 4, 8, 16, 30, 30].map((seconds) => `pause ${1000 * seconds}`);
    expect(told).toEqual([failure(938, 'the disk is full'), ...waits]);
    expect(steps()).toEqual(Array.from({ length: 8 }, () => 938));
  });

  test('that is over is told, and the next one anew, from 1 s', async () => {
    const writer = writerWith();
    writer.save(checkpointOf(1));
    await fail();
    pauses.shift()?.();
    await calm();
    await fail();
    pauses.shift()?.();
    await calm();
    await succeed();
    writer.save(checkpointOf(2));
    await fail();
    expect(told).toEqual([
      failure(1, 'the disk is full'),
      'pause 1000',
      'pause 2000',
      'Checkpoints are written again, the latest of step 1.',
      'saved 1',
      failure(2, 'the disk is full'),
      'pause 1000',
    ]);
  });

  test('after a success is a new one also if its checkpoint waited for that', async () => {
    const writer = writerWith();
    writer.save(checkpointOf(1));
    await fail();
    pauses.shift()?.();
    await calm();
    writer.save(checkpointOf(2));
    await succeed();
    await fail();
    expect(told.slice(-3)).toEqual(['saved 1', failure(2, 'the disk is full'), 'pause 1000']);
  });

  test('for another reason is told too, and each unknown reason once', async () => {
    const writer = writerWith();
    const unknown = (step: number) =>
      Object.assign(new Error(`EMFILE: too many open files, open '${step}'`), { code: 'EMFILE' });
    writer.save(checkpointOf(1));
    for (const error of [full, denied, denied, unknown(1), unknown(2), new Error('odd')]) {
      await fail(error);
      pauses.shift()?.();
      await calm();
    }
    expect(told.filter((sentence) => !sentence.startsWith('pause'))).toEqual([
      failure(1, 'the disk is full'),
      failure(1, 'access is denied'),
      failure(1, "EMFILE: too many open files, open '1'"),
      failure(1, 'odd'),
    ]);
  });

  test('is not waited for when a newer one comes: that is written at once', async () => {
    const writer = writerWith();
    writer.save(checkpointOf(1));
    await fail();
    writer.save(checkpointOf(2));
    await calm();
    expect(steps()).toEqual([1, 2]);
    await succeed();
    pauses.shift()?.();
    await calm();
    expect(steps()).toEqual([1, 2]);
    expect(told.at(-1)).toBe('saved 2');
  });

  test('gives way to the newer one that waits', async () => {
    const writer = writerWith();
    writer.save(checkpointOf(1));
    writer.save(checkpointOf(2));
    await fail();
    expect(steps()).toEqual([1, 2]);
    expect(pauses).toEqual([]);
  });
});

describe('close', () => {
  test('is at its end at once if there was nothing', async () => {
    expect(await writerWith({ onNotice: unexpected }).close()).toBe(true);
  });

  test('writes what waits', async () => {
    const writer = writerWith();
    writer.save(checkpointOf(1));
    writer.save(checkpointOf(2));
    const closed = writer.close();
    await succeed();
    await succeed();
    expect(await closed).toBe(true);
    expect(told).toEqual(['saved 1', 'saved 2']);
  });

  test('tries once more at once what failed before', async () => {
    const writer = writerWith();
    writer.save(checkpointOf(1));
    await fail();
    const closed = writer.close();
    await calm();
    expect(steps()).toEqual([1, 1]);
    await succeed();
    expect(await closed).toBe(true);
  });

  test('tries once more what fails meanwhile', async () => {
    const writer = writerWith();
    writer.save(checkpointOf(1));
    const closed = writer.close();
    await fail();
    expect(steps()).toEqual([1, 1]);
    await succeed();
    expect(await closed).toBe(true);
    expect(pauses).toEqual([]);
  });

  test('is false if the last could not be written, and promises no more', async () => {
    const writer = writerWith();
    writer.save(checkpointOf(1));
    await succeed();
    writer.save(checkpointOf(2));
    await fail();
    const closed = writer.close();
    await calm();
    await fail(denied);
    expect(await closed).toBe(false);
    expect(steps()).toEqual([1, 2, 2]);
    expect(told.at(-1)).toBe('Checkpoint of step 2 could not be written: access is denied.');
    expect(await writer.close()).toBe(false);
  });

  test('is followed by nothing', async () => {
    const writer = writerWith();
    await writer.close();
    writer.save(checkpointOf(1));
    await calm();
    expect(writes).toEqual([]);
  });

  test('leaves no timer that keeps the process alive', async () => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    const writer = new CheckpointWriter({
      store: { write: () => Promise.reject(full) },
      onNotice: () => undefined,
    });
    writer.save(checkpointOf(1));
    await calm();
    expect(await writer.close()).toBe(false);
    expect(timers()).toBe(before);
  });
});
