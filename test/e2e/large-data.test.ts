import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { idx } from '../data/sources/files.js';
import { noise } from '../data/helpers.js';
import { type Place, test } from './support/place.js';

/** More than is kept in memory: 282 MB to train on.*/
const SAMPLES = 400_000;

async function writeData(place: Place): Promise<void> {
  const images = new Uint8Array(SAMPLES * 784);
  const some = noise(12_345 * 784);
  for (let from = 0; from < images.length; from += some.length) {
    images.set(some.subarray(0, images.length - from), from);
  }
  const labels = Uint8Array.from(
    { length: SAMPLES },
    (_, index) => (index * 7 + (index >> 9)) % 10,
  );
  await writeFile(place.at('train-images-idx3-ubyte'), idx([SAMPLES, 28, 28], images));
  await writeFile(place.at('train-labels-idx1-ubyte'), idx([SAMPLES], labels));
}

/** The most memory that a process has had so far, in MB. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1000;
}

test('data that nobody holds in memory trains to the same weights on a worker', async ({
  place,
}) => {
  await writeData(place);
  const flags = ['--data', '.', '--steps', '40', '--batch', '64', '--seed', '3'];
  const alone = await place.result(['train', ...flags, '--threads', '2']);
  const { running, url } = await place.coordinator([...flags, '--threads', '0']);
  const env = { DTRAIN_CACHE_DIR: place.at('cache-of-worker') };
  const worker = place.start(['worker', url, '--threads', '1'], { env });
  await worker.line(/Fetched 2\d\d\.\d MB of data/);
  expect(await peakOf(worker.pid)).toBeLessThan(200);
  expect(await running.event('result')).toMatchObject({
    ...{ workers: 1, weightsSha256: alone.weightsSha256 },
    testAccuracy: alone.testAccuracy,
  });
  expect((await worker.ended).code).toBe(0);
});
