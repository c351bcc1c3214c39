import { chmod, readdir, writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { findCompilers } from '../../src/engine/native/compilers.js';
import { expectAsIfUndisturbed } from './support/control.js';
import { expectError } from './support/expectations.js';
import { type Place, test } from './support/place.js';

const compilers = await findCompilers({});
const where = compilers.length > 0 ? '' : ' (skipped: there is no C compiler here)';
const RUN = ['--steps', '40', '--batch', '100', '--seed', '61'];
const NATIVE = ['--engine', 'native'];

describe.skipIf(compilers.length === 0).concurrent(`native code${where}`, () => {
  test('trains to the weights of WebAssembly, and is compiled once', async ({ place }) => {
    const first = place.start(['train', ...RUN, ...NATIVE, '--threads', '1', '--json']);
    const start = await first.event('start');
    expect(start.engine).toBe('native');
    expect(start.engineNote).toMatch(/^(gcc|clang) \d/);
    await expectAsIfUndisturbed(await first.event('result'), RUN);
    const compiled = await readdir(place.at('cache/native'));
    const again = await place.result(['train', ...RUN, '--engine', 'auto', '--threads', '2']);
    expect(again.engine).toBe('native');
    await expectAsIfUndisturbed(again, RUN);
    expect(await readdir(place.at('cache/native'))).toEqual(compiled);
  });

  test.for(['-mno-avx512f', '-mno-avx'])(
    'for a processor without more, %s',
    async (flags, { place }) => {
      if (process.arch !== 'x64') return;
      const [{ command: [program] } = { command: ['cc'] }] = compilers;
      const env = { CC: `${program} ${flags}` };
      const running = place.start(['train', ...RUN, ...NATIVE, '--json'], { env });
      expect((await running.event('start')).engineNote).not.toContain('16 lanes');
      await expectAsIfUndisturbed(await running.event('result'), RUN);
    },
  );

  test('works beside WebAssembly in a fleet', async ({ place }) => {
    const { running, url } = await place.coordinator([
      ...RUN,
      ...['--threads', '0', '--workers', '2', '--engine', 'wasm'],
    ]);
    const native = place.worker(url, NATIVE);
    const wasm = place.worker(url, ['--engine', 'wasm']);
    await native.line(/^Joined .* with 1 thread, engine native \((gcc|clang) .*\)\.$/);
    await wasm.line(/^Joined .* with 1 thread, engine wasm\.$/);
    const result = await running.event('result');
    expect(result).toMatchObject({ engine: 'wasm', workers: 2 });
    await expectAsIfUndisturbed(result, RUN);
  });

  test('goes on with a run that WebAssembly began, and the other way round', async ({ place }) => {
    for (const [before, after] of [
      ['wasm', 'native'],
      ['native', 'wasm'],
    ] as const) {
      const out = place.at(before);
      const flags = ['--batch', '8', '--epochs', '2', '--seed', '61'];
      const every = ['--checkpoint-every', '50'];
      const args = ['train', ...flags, ...every, '--out', out, '--engine', before, '--json'];
      const running = place.start(args);
      await running.event('checkpoint');
      running.signal('SIGTERM');
      expect(await running.event('result')).toMatchObject({ outcome: 'stopped', engine: before });
      const result = await place.result(['train', '--resume', out, '--engine', after]);
      expect(result.engine).toBe(after);
      await expectAsIfUndisturbed(result, flags);
    }
  });

  test('that two processes compile at once does no harm', async ({ place }) => {
    const args = ['train', ...RUN, ...NATIVE, '--threads', '1'];
    const both = ['one', 'two'].map((name) => place.result([...args, '--name', name]));
    for (const result of await Promise.all(both)) await expectAsIfUndisturbed(result, RUN);
  });

  test('evaluates too', async ({ place }) => {
    const { testAccuracy, testLoss } = await place.result(['train', ...RUN, '--out', 'run']);
    const ended = await place.run(['eval', 'run', '--json'], { env: { DTRAIN_ENGINE: 'native' } });
    expect(JSON.parse(ended.stdout)).toMatchObject({ testAccuracy, testLoss });
  });
});

/** Answers what a compiler of version 9 says of itself; compiles with `script`. */
const compiling = (script: string): string =>
  `case "$*" in *-dM*) echo '#define __VERSION__ "9"';; *) ${script};; esac`;

describe.concurrent(
  'where native code cannot be had, auto says so and goes on, and native is an error:',
  () => {
    test.for([
      [
        'a compiler that cannot be run',
        'exit 1',
        /: the C compiler that CC names, .*, cannot be run$/,
      ],
      [
        'one that does not compile',
        compiling('echo "no room" >&2; exit 1'),
        /: gcc 9 failed: no room$/,
      ],
      ['one that makes no file', compiling(':'), /: gcc 9 failed: /],
      [
        'one that makes no library',
        compiling('while [ "$1" != -o ]; do shift; done; echo x > "$2"'),
        /: gcc 9 failed: /,
      ],
    ] as const)('%s', async ([, script, why], { place }) => {
      const CC = place.at('cc');
      await writeFile(CC, `#!/bin/sh\n${script}\n`);
      await chmod(CC, 0o755);
      await expectWithout(place, { CC }, why);
    });

    test('none at all', async ({ place }) => {
      const PATH = place.at('empty');
      await expectWithout(place, { PATH }, /: there is no C compiler: install gcc or clang$/);
    });

    test.skipIf(compilers.length === 0)(
      `a platform that koffi has no binary for${where}`,
      async ({ place }) => {
        const hide = `const { Module } = require('node:module'); const load = Module._load;
        Module._load = (name, ...rest) => {
          if (name === 'koffi') throw new Error('no binary for this platform');
          return load(name, ...rest);
        };`;
        await writeFile(place.at('hide.cjs'), hide);
        const NODE_OPTIONS = `--require ${place.at('hide.cjs')}`;
        await expectWithout(place, { NODE_OPTIONS }, / failed: no binary for this platform$/);
      },
    );

    async function expectWithout(place: Place, env: NodeJS.ProcessEnv, why: RegExp): Promise<void> {
      const args = ['train', ...RUN, '--threads', '1', '--json'];
      const auto = place.start([...args, '--engine', 'auto'], { env });
      const { engine, engineNote } = await auto.event('start');
      expect(engine).toBe('wasm');
      expect(engineNote).toMatch(/^no native code: /);
      expect(engineNote).toMatch(why);
      await expectAsIfUndisturbed(await auto.event('result'), RUN);
      const ended = await place.run([...args, ...NATIVE], { env });
      expectError(ended, 1, /^error: The engine native cannot be had: .*\.$/);
    }
  },
);
