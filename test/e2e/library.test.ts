import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { type Place, repository, test } from './support/place.js';
import { eventsOf } from './support/events.js';
import type { Ended } from './support/running.js';

/** A folder whose programs import this package as any other. */
async function install(place: Place): Promise<void> {
  await mkdir(place.at('node_modules/@types'), { recursive: true });
  await symlink(repository, place.at('node_modules/dtrain'));
  const types = path.join(repository, 'node_modules/@types/node');
  await symlink(types, place.at('node_modules/@types/node'));
}

async function program(place: Place, source: string): Promise<Ended> {
  await install(place);
  await writeFile(place.at('program.mjs'), source);
  return place.spawn(process.execPath, ['program.mjs']).ended;
}

describe.concurrent("import { train } from 'dtrain'", () => {
  test('yields the events of the command, with the same weights', async ({ place }) => {
    const ended = await program(
      place,
      `import { train } from 'dtrain';
      for await (const event of train({ steps: 12, seed: 4, threads: 2, out: 'mine' })) {
        console.log(JSON.stringify(event));
      }`,
    );
    expect(ended.stderr).toBe('');
    expect(ended.code).toBe(0);
    const events = eventsOf(ended);
    expect(events.map(({ event }) => event)).toEqual(['start', 'epoch', 'checkpoint', 'result']);
    const flags = ['--steps', '12', '--seed', '4', '--threads', '1', '--out', 'theirs'];
    const { weightsSha256 } = await place.result(['train', ...flags]);
    expect(events.at(-1)).toMatchObject({ weightsSha256, runDir: place.at('mine') });
  });

  test('leaving the loop ends the run and lets the process end', async ({ place }) => {
    const ended = await program(
      place,
      `import { train } from 'dtrain';
      for await (const { event } of train({ epochs: 10000, batch: 100, validation: 8000, out: 'mine' })) {
        if (event === 'epoch') break;
      }
      console.log('after the loop');`,
    );
    expect(ended).toMatchObject({ code: 0, stdout: 'after the loop\n', stderr: '' });
    expect((await place.run(['eval', 'mine'])).code).toBe(0);
  });

  test('leaving the loop at its first event does, too', async ({ place }) => {
    const ended = await program(
      place,
      `import { train } from 'dtrain';
      for await (const { event } of train({ epochs: 10000 })) {
        console.log(event);
        break;
      }`,
    );
    expect(ended).toMatchObject({ code: 0, stdout: 'start\n', stderr: '' });
  });

  test('an aborted signal ends the run with a result', async ({ place }) => {
    const ended = await program(
      place,
      `import { train } from 'dtrain';
      const stop = new AbortController();
      const run = train({ epochs: 10000, batch: 100, validation: 8000, signal: stop.signal });
      for await (const event of run) {
        if (event.event === 'epoch') stop.abort();
        if (event.event === 'result') console.log(event.outcome);
      }`,
    );
    expect(ended).toMatchObject({ code: 0, stdout: 'stopped\n', stderr: '' });
  });

  test('reports errors with their code, and reads no environment variables', async ({ place }) => {
    await install(place);
    await writeFile(
      place.at('program.mjs'),
      `import { DtrainError, train } from 'dtrain';
      const attempt = async (options) => {
        try {
          for await (const { event, seed } of train(options)) if (event === 'start') return seed;
        } catch (error) {
          return [error instanceof DtrainError, error.code, error.exitCode];
        }
      };
      console.log(JSON.stringify(await attempt({ batch: 0 })));
      console.log(JSON.stringify(await attempt({ dataDir: '/nonexistent/mnist' })));
      console.log(JSON.stringify(await attempt({ steps: 2 })));`,
    );
    const env = { DTRAIN_SEED: '9', DTRAIN_STEPS: '0' };
    const ended = await place.spawn(process.execPath, ['program.mjs'], { env }).ended;
    expect(ended.stderr).toBe('');
    expect(ended.stdout.trimEnd().split('\n')).toEqual([
      '[true,"USAGE",2]',
      '[true,"DATA_MISSING",1]',
      '1',
    ]);
    expect(ended.code).toBe(0);
  });

  test('two runs at once in one process do not disturb each other', async ({ place }) => {
    const ended = await program(
      place,
      `import { train } from 'dtrain';
      const last = async (options) => {
        let event;
        for await (event of train({ steps: 12, ...options }));
        return event.weightsSha256;
      };
      console.log(JSON.stringify(await Promise.all([last({ seed: 1 }), last({ seed: 2 })])));`,
    );
    expect(ended.code, ended.stderr).toBe(0);
    const hashes = await Promise.all(
      ['1', '2'].map((seed) => place.result(['train', '--steps', '12', '--seed', seed])),
    );
    expect(JSON.parse(ended.stdout)).toEqual(hashes.map(({ weightsSha256 }) => weightsSha256));
  });

  test('has types that a strict program compiles against', async ({ place }) => {
    await install(place);
    await writeFile(
      place.at('program.ts'),
      `import { DtrainError, train, type ResultEvent, type RunEvent, type TrainOptions } from 'dtrain';
      const options: TrainOptions = { model: 'lenet5', epochs: 1, optimizer: 'adam', lr: 0.001 };
      export async function last(): Promise<ResultEvent | undefined> {
        const events: RunEvent[] = [];
        for await (const event of train({ ...options, onNotice: (text) => text.trim() })) {
          events.push(event);
          if (event.event === 'epoch') console.log(event.testAccuracy.toFixed(2));
          if (event.event === 'worker') console.log(event.reason?.length, event.workers + 1);
          if (event.event === 'result') return event;
        }
        return undefined;
      }
      export const code = (error: unknown): string => error instanceof DtrainError ? error.code : '';
      // @ts-expect-error -- no such optimizer
      export const wrongOptimizer = train({ optimizer: 'adamax' });
      // @ts-expect-error -- no such option
      export const wrongName = train({ batchSize: 3 });
      // @ts-expect-error -- not a number
      export const wrongType = train({ steps: '3' });`,
    );
    await writeFile(place.at('package.json'), '{ "type": "module" }');
    const settings = {
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        target: 'es2022',
        module: 'nodenext',
        types: ['node'],
        skipLibCheck: false,
        noEmit: true,
      },
      files: ['program.ts'],
    };
    await writeFile(place.at('tsconfig.json'), JSON.stringify(settings));
    const tsc = path.join(repository, 'node_modules/typescript/bin/tsc');
    const ended = await place.spawn(process.execPath, [tsc, '-p', '.']).ended;
    expect(ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});
