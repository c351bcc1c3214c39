import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RunLock } from '../../src/report/run-lock.js';

async function folder(): Promise<string> {
  const place = await mkdtemp(path.join(tmpdir(), 'dtrain-lock-'));
  onTestFinished(() => rm(place, { recursive: true }));
  return place;
}

/** A process that does nothing. */
function otherProcess() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1e6)']);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

test('a folder belongs to a process that lives, and to nobody once that is killed', async () => {
  const place = await folder();
  const other = otherProcess();
  const file = path.join(place, 'lock');
  await writeFile(file, `${other.pid ?? 0} on ${hostname()}`);
  expect(() => new RunLock(place)).toThrow(
    `Process ${other.pid ?? 0} on ${hostname()} is at work on the run in ${place}: stop it first, or remove ${file} if that process is not dtrain.`,
  );
  other.kill('SIGKILL');
  await once(other, 'exit');
  new RunLock(place).release();
  expect(await readdir(place)).toEqual([]);
});

test('a process of another machine may live', async () => {
  const place = await folder();
  await writeFile(path.join(place, 'lock'), '1 on elsewhere');
  expect(() => new RunLock(place)).toThrow('Process 1 on elsewhere is at work');
});

test('a lock that was never written to the end holds nobody up', async () => {
  const place = await folder();
  await writeFile(path.join(place, 'lock'), '');
  new RunLock(place).release();
});
