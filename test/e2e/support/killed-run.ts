import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { Place } from './place.js';

/** Nine steps an epoch, and a checkpoint after every fourth step. */
export const RUN = ['--batch', '1000', '--epochs', '3', '--seed', '71'];
const EVERY = ['--checkpoint-every', '4', '--threads', '1'];

/** Trains `run` until it has been killed after some checkpoints; the steps of those that are there. */
export async function killedRun(place: Place, checkpoints = 2): Promise<number[]> {
  const running = place.start(['train', ...RUN, ...EVERY, '--out', 'run', '--json']);
  let seen = 0;
  await running.event('checkpoint', () => ++seen === checkpoints);
  expect(running.signal('SIGKILL'), 'it still ran').toBe(true);
  expect((await running.ended).signal).toBe('SIGKILL');
  return checkpointsOf(place.at('run'));
}

/** The steps that a run's folder has checkpoints of, the newest last; nothing else may be there. */
export async function checkpointsOf(folder: string): Promise<number[]> {
  const names = await readdir(path.join(folder, 'checkpoints'));
  return names
    .filter((name) => !name.startsWith('.'))
    .map((name) => Number(/^step-(\d{9})\.ckpt$/.exec(name)?.[1]))
    .sort((one, other) => one - other);
}
