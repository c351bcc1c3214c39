import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { expectError } from './support/expectations.js';
import { entry, type Place, test } from './support/place.js';

const SHORT = ['--steps', '10', '--threads', '0'];

/** A folder for PATH that has this build as `dtrain`. */
async function shim(place: Place): Promise<string> {
  const folder = place.at('bin');
  await mkdir(folder);
  const file = path.join(folder, 'dtrain');
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${entry}' "$@"\n`);
  await chmod(file, 0o755);
  return folder;
}

describe.concurrent('the line that the coordinator prints', () => {
  const cases: readonly [title: string, flags: readonly string[]][] = [
    ['on this machine', []],
    ['with a token of the user', ['--token', `it's"$HOME&;#(\\)!`]],
    ['on an address that is not known for loopback, with a token of its own', ['--host', '127.1']],
  ];
  test.for(cases)('makes a shell start a worker: %s', async ([, flags], { place }) => {
    const running = place.start(['coordinator', '--port', '0', ...SHORT, ...flags]);
    const line = await running.line(/^ +dtrain worker ws:/);
    const PATH = `${await shim(place)}:${process.env.PATH ?? ''}`;
    const worker = place.spawn('/bin/sh', ['-c', `exec ${line}`], { env: { PATH } });
    const { code, stderr } = await worker.ended;
    expect(stderr, line).toBe('');
    expect(code).toBe(0);
    expect((await running.ended).code).toBe(0);
    if (flags.includes('127.1')) expect(line).toMatch(/ --token [0-9a-f]{32}$/);
  });

  test('works for IPv6', async ({ place }) => {
    const running = place.start(['coordinator', '--host', '::1', '--port', '0', ...SHORT]);
    const line = await running.line(/^ +dtrain worker ws:|is not an address/).catch(() => '');
    if (line === '') {
      // There is no IPv6 here: the error says so.
      expectError(await running.ended, 1, /::1/);
      return;
    }
    const url = line.trim().split(' ')[2] ?? '';
    expect(url).toMatch(/^ws:\/\/\[::1\]:\d+$/);
    expect((await place.worker(url).ended).code).toBe(0);
    expect((await running.ended).code).toBe(0);
  });
});
