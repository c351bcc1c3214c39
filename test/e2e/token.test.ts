import { existsSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { expectAsIfUndisturbed } from './support/control.js';
import { type Place, test, urlOf } from './support/place.js';
import type { Running } from './support/running.js';

const RUN = ['--steps', '30', '--batch', '64', '--seed', '91'];
/** Loopback, though nobody takes it for that. */
const OPEN = ['--host', '127.1', '--port', '0', '--threads', '0'];

/** Starts a coordinator that makes a token; with the line that it prints. */
async function start(
  place: Place,
  args: readonly string[],
): Promise<{ running: Running; url: string; token: string }> {
  const running = place.start(['coordinator', ...args, '--json']);
  const line = await running.line(/^ {2}dtrain worker ws:/, 'stderr');
  const [, token = ''] = / --token ([0-9a-f]{32})$/.exec(line) ?? [];
  expect(token, line).not.toBe('');
  return { running, url: await urlOf(running), token };
}

/** Files of a folder that hold a text. */
async function filesWith(text: string, folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const found: string[] = [];
  for (const name of names) {
    // Folders, and files that a running run has written and renamed meanwhile, have no content.
    const content = await readFile(path.join(folder, name)).catch(() => Buffer.alloc(0));
    if (content.includes(text)) found.push(name);
  }
  return found;
}

describe.concurrent('a token that the coordinator made', () => {
  test('is kept for a run that goes on, and gone when it is complete', async ({ place }) => {
    const first = await start(place, [...RUN, ...OPEN, '--out', 'run', '--checkpoint-every', '5']);
    const { token } = first;
    const proxy = await place.proxy(first.url.replace('127.1', '127.0.0.1'));
    const caught = proxy.hold('pieces', 13);
    const worker = place.worker(proxy.url, ['--token', token]);
    const held = await caught;
    await first.running.event('checkpoint', ({ step }) => step === 10);
    expect(await readFile(place.at('run/token'), 'utf8')).toBe(token);
    expect(statSync(place.at('run/token')).mode & 0o777).toBe(0o600);
    expect(await filesWith(token, place.at('run'))).toEqual(['token']);
    expect(first.running.signal('SIGKILL')).toBe(true);
    await first.running.ended;
    held.release();

    const resumed = await start(place, ['--resume', 'run']);
    expect(resumed.token).toBe(token);
    await expectAsIfUndisturbed(await resumed.running.event('result'), RUN);
    expect((await worker.ended).code, 'the worker knew it still').toBe(0);
    expect((await resumed.running.ended).code).toBe(0);
    expect(existsSync(place.at('run/token'))).toBe(false);
    expect(await filesWith(token, place.at('run'))).toEqual([]);
  });

  test('stays with a run that was stopped, until another command completes it', async ({
    place,
  }) => {
    const { running, token } = await start(place, [...RUN, ...OPEN, '--out', 'run']);
    running.signal('SIGTERM');
    expect((await running.ended).code).toBe(0);
    expect(await readFile(place.at('run/token'), 'utf8')).toBe(token);
    expect(statSync(place.at('run/token')).mode & 0o777).toBe(0o600);
    await expectAsIfUndisturbed(await place.result(['train', '--resume', 'run']), RUN);
    expect(existsSync(place.at('run/token'))).toBe(false);
  });

  test('is another one in each run', async ({ place }) => {
    const one = await start(place, [...RUN, ...OPEN]);
    const other = await start(place, [...RUN, ...OPEN]);
    expect(other.token).not.toBe(one.token);
  });
});

test("the user's token goes before the one that was kept", async ({ place }) => {
  const { running } = await start(place, [...RUN, ...OPEN, '--out', 'run']);
  running.signal('SIGTERM');
  await running.ended;
  const resumed = await place.resumed(['--token', 'mine']);
  const worker = place.worker(resumed.url, ['--token', 'mine']);
  await expectAsIfUndisturbed(await resumed.running.event('result'), RUN);
  expect((await worker.ended).code).toBe(0);
});
