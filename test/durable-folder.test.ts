import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder } from '../src/durable-folder.js';

test('a folder is made by its relative name, with those above it', async () => {
  const place = await mkdtemp(path.join(tmpdir(), 'dtrain-folder-'));
  onTestFinished(() => rm(place, { recursive: true }));
  const relative = path.relative(process.cwd(), path.join(place, 'a/b'));
  await makeFolder(relative);
  await makeFolder(relative);
  expect(await readdir(path.join(place, 'a'))).toEqual(['b']);
});
