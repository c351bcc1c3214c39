import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { greyPng, npy, writeFiles, writeNpz } from '../data/sources/files.js';
import { noise } from '../data/helpers.js';
import { type Place, test } from './support/place.js';

/** Images of two classes, dark and light. */
async function writeImages(place: Place): Promise<void> {
  for (const [name, base] of [
    ['dark', 0],
    ['light', 128],
  ] as const) {
    const images = Array.from({ length: 40 }, async (_, index) => [
      `${name}/${String(index)}.png`,
      await greyPng(12, 12, base + 3 * index),
    ]);
    const files = (await Promise.all(images)) as [string, Uint8Array][];
    await writeFiles(place.at('pictures'), Object.fromEntries(files));
  }
}

describe.concurrent('dtrain trains on', () => {
  test('a folder of images, over two workers as on one machine', async ({ place }) => {
    await writeImages(place);
    const flags = ['--data', 'pictures', '--epochs', '4', '--batch', '16'];
    const alone = await place.result(['train', ...flags, '--out', 'alone']);
    const fleet = ['--threads', '0', '--workers', '2', '--out', 'fleet'];
    const { running, url } = await place.coordinator([...flags, ...fleet]);
    const workers = [place.worker(url), place.worker(url)];
    const result = await running.event('result');
    expect(result).toMatchObject({ workers: 2, weightsSha256: alone.weightsSha256 });
    for (const worker of workers) expect((await worker.ended).code).toBe(0);

    const description = JSON.parse(await readFile(place.at('alone/data.json'), 'utf8')) as object;
    expect(description).toMatchObject({
      ...{ name: 'pictures', shape: [12, 12, 1], classNames: ['dark', 'light'] },
      heldOut: true,
    });
    const evaluated = await place.run(['eval', 'alone', '--json']);
    expect(JSON.parse(evaluated.stdout)).toMatchObject({
      ...{ samples: 8, classNames: ['dark', 'light'] },
      testAccuracy: alone.testAccuracy,
    });
    const { stdout } = await place.run(['eval', 'fleet']);
    expect(stdout).toMatch(/is \\ taken for +dark +light/);
  });

  test('float32 values as on the bytes that have the same ones', async ({ place }) => {
    const bytes = noise(120 * 144);
    const labels = npy(
      '|u1',
      [120],
      Uint8Array.from({ length: 120 }, (_, index) => index % 3),
    );
    const floats = Float64Array.from(bytes, (byte) => byte / 255);
    await writeNpz(place.at('bytes.npz'), { x: npy('|u1', [120, 12, 12], bytes), y: labels });
    await writeNpz(place.at('floats.npz'), { x: npy('<f8', [120, 12, 12], floats), y: labels });
    const flags = ['--epochs', '3', '--batch', '20'];
    const run = (data: string, normalise: string) =>
      place.result(['train', '--data', data, '--normalise', normalise, ...flags]);
    const ofBytes = await run('bytes.npz', 'unit');
    expect((await run('floats.npz', 'none')).weightsSha256).toBe(ofBytes.weightsSha256);
    expect((await run('floats.npz', 'standard')).weightsSha256).not.toBe(ofBytes.weightsSha256);
  });
});

describe.concurrent('dtrain data', () => {
  test('describes an own data set, and names what is bad in it', async ({ place }) => {
    await writeFiles(place.folder, { 'x.csv': 'a,b,kind\n1,2,u\n3,4,v\n5,x,u\n7,8,v\n9,0,u\n' });
    const refused = await place.run(['data', '--data', 'x.csv']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/x\.csv, line 4, has "x" in the column b .*--skip-bad/);
    const { code, stdout } = await place.run(['data', '--data', 'x.csv', '--skip-bad']);
    expect(code).toBe(0);
    expect(stdout).toContain('1 x 1 x 2 float32 values a sample, 2 classes');
    expect(stdout).toContain('classes: u, v');
    expect(stdout).toMatch(/Bad samples that were left out: 1\. The first: .*line 4/);
    const described = await place.run(['data', '--data', 'x.csv', '--skip-bad', '--json']);
    expect(JSON.parse(described.stdout)).toMatchObject({ name: 'x', skipped: 1, heldOut: true });
  });

  test('takes one way to say which data', async ({ place }) => {
    const { code, stderr } = await place.run(['data', '--data', 'x.csv', '--data-dir', 'y']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/--data and --data-dir exclude/)]);
    const missing = await place.run(['data', '--data', 'nowhere']);
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/no data at/)]);
  });
});
