import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { DtrainError } from '../../src/errors.js';

/** Writes a file into a new folder that goes with the test. */
export async function temporaryFile(content: string, name = 'run.json'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dtrain-config-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** The message of the USAGE error that a promise must reject with. */
export async function usageError(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DtrainError);
  expect(error).toMatchObject({ code: 'USAGE' });
  return error instanceof Error ? error.message : '';
}
