import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tmpdir } from 'node:os';
import { describe, expect } from 'vitest';
import { expectError } from './support/expectations.js';
import { entry, type Place, repository, test } from './support/place.js';

const SHORT = ['train', '--steps', '3', '--threads', '1'];
/** Gives a process mounts of its own. */
const UNSHARE = 'unshare';
const NOBODY = { uid: 65_534, gid: 65_534 };
const root = process.getuid?.() === 0;

describe.concurrent('--out and --name', () => {
  test('a folder that already holds a run is left alone', async ({ place }) => {
    const first = await place.result([...SHORT, '--name', 'mine']);
    const before = await readFile(place.at('runs/mine/summary.json'), 'utf8');
    const again = await place.run([...SHORT, '--name', 'mine', '--seed', '2']);
    expectError(again, 1, /runs\/mine already holds a run.*--name/);
    const out = await place.run([...SHORT, '--out', 'runs/mine', '--seed', '2']);
    expectError(out, 1, /runs\/mine already holds a run.*--out/);
    expect(await readFile(place.at('runs/mine/summary.json'), 'utf8')).toBe(before);
    expect(before).toContain(String(first.weightsSha256));
  });

  test('a path below a file', async ({ place }) => {
    await writeFile(place.at('file'), 'mine');
    const below = await place.run([...SHORT, '--out', 'file/run']);
    expectError(below, 1, /Cannot write .*file\/run: .*not a folder.*--out/);
    const itself = await place.run([...SHORT, '--out', 'file']);
    expectError(itself, 1, /Cannot write .*file: .*--out/);
    expect(await readFile(place.at('file'), 'utf8')).toBe('mine');
  });

  test('a file in the place of runs/', async ({ place }) => {
    await writeFile(place.at('runs'), 'mine');
    expectError(await place.run(SHORT), 1, /Cannot write .*runs.*--out/);
  });

  test('an empty folder, and one with other files, serve', async ({ place }) => {
    await mkdir(place.at('run'));
    await writeFile(place.at('run/notes.txt'), 'mine');
    await place.result([...SHORT, '--out', 'run']);
    expect(await readFile(place.at('run/notes.txt'), 'utf8')).toBe('mine');
    expect(await readdir(place.at('run'))).toContain('model.json');
  });

  const mistakes: readonly [title: string, args: readonly string[]][] = [
    ['the data is missing', ['train', '--data-dir', 'nowhere']],
    ['the host is wrong', ['coordinator', '--host', 'nosuch.invalid']],
    ['nothing is left to train on', ['train', '--validation', '9000']],
  ];
  test.for(mistakes)('a run that never began takes no name: %s', async ([, args], { place }) => {
    expect((await place.run([...args, '--out', 'run'])).code).toBeGreaterThan(0);
    await place.result([...SHORT, '--out', 'run']);
    expect((await place.run(args)).code).toBeGreaterThan(0);
    expect(existsSync(place.at('runs')) ? await readdir(place.at('runs')) : []).toEqual([]);
  });
});

/** Whether any user may read the build, as a process of another user must. */
function isOpen(folder: string): boolean {
  const open = (statSync(folder).mode & 0o005) === 0o005;
  const parent = path.dirname(folder);
  return open && (parent === folder || isOpen(parent));
}
const readOnlyTitle = 'a folder that may not be written to';
const canBeNobody = !root || isOpen(repository);

describe('a disk that does not take it', () => {
  test.skipIf(!canBeNobody)(
    canBeNobody ? readOnlyTitle : `${readOnlyTitle} (skipped: ${repository} is closed to others)`,
    async ({ place }) => {
      await chmod(place.folder, 0o755);
      await mkdir(place.at('locked'));
      await chmod(place.at('locked'), root ? 0o755 : 0o555);
      const options = { cwd: place.at('locked'), ...(root ? NOBODY : {}) };
      const named = await place.run([...SHORT, '--out', 'run'], options);
      expectError(named, 1, /Cannot write .*locked\/run: access is denied.*--out/);
      expectError(await place.run(SHORT, options), 1, /Cannot write .*locked\/runs.*access.*--out/);
      await chmod(place.at('locked'), 0o755);
    },
  );

  const mountable = canMount();
  const full = (title: string): string =>
    mountable ? title : `${title} (skipped: this user may not mount a tmpfs)`;

  test.skipIf(!mountable)(full('a disk that is full when the model comes'), async ({ place }) => {
    const ended = await onTinyDisk(place, '100k', [...SHORT, '--out', 'disk/run']);
    expectError(ended, 1, /Cannot write .*disk\/run\/.*: the disk is full.*--out/);
  });

  test.skipIf(!mountable)(full('a disk that is full from the start'), async ({ place }) => {
    const ended = await onTinyDisk(place, '4k', [...SHORT, '--out', 'disk/run']);
    expectError(ended, 1, /Cannot write .*disk\/run.*: the disk is full.*--out/);
  });
});

test('a worker whose cache cannot be written works without one', async ({ place }) => {
  const flags = ['--threads', '0', '--steps', '5'];
  const { running, url } = await place.coordinator(flags);
  await writeFile(place.at('file'), '');
  const env = { DTRAIN_CACHE_DIR: place.at('file/cache') };
  const worker = place.start(['worker', url, '--threads', '1'], { env });
  const { code, stdout } = await worker.ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/not kept for the next time.*file\/cache/);
  expect((await running.ended).code).toBe(0);
});

/** Whether this user may mount a file system for a process of theirs alone. */
function canMount(): boolean {
  const args = ['-rm', 'mount', '-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', tmpdir()];
  return spawnSync(UNSHARE, args).status === 0;
}

async function onTinyDisk(place: Place, size: string, args: readonly string[]) {
  await mkdir(place.at('disk'));
  const script = `mount -t tmpfs -o size=${size} tmpfs disk && exec "$@"`;
  const command = ['sh', '-c', script, 'sh', process.execPath, entry, ...args];
  return place.spawn(UNSHARE, ['-rm', ...command]).ended;
}
