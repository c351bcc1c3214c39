import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { download, type DownloadRequest } from '../../src/data/download.js';
import { DtrainError } from '../../src/errors.js';
import {
  dtrainError,
  noise,
  refusingUrl,
  sendAll,
  sendHalf,
  sendRange,
  startMirror,
  temporaryFolder,
} from './helpers.js';

const file = noise(200_000);
const files = new Map([['file.gz', file]]);
const wrongFiles = new Map([['file.gz', noise(200_000, 7)]]);

let dir: string;

beforeEach(async () => {
  dir = join(await temporaryFolder(), 'cache');
});

function request(mirrors: string[], more: Partial<DownloadRequest> = {}): DownloadRequest {
  const check = (bytes: Uint8Array) =>
    Buffer.from(file).equals(bytes)
      ? Promise.resolve(bytes)
      : Promise.reject(new DtrainError('DATA_DAMAGED', 'what it sent is wrong.'));
  return { mirrors, name: 'file.gz', dir, maxBytes: 1_000_000, stallMs: 60_000, check, ...more };
}

async function expectOnlyTheFile(): Promise<void> {
  expect(await readdir(dir)).toEqual(['file.gz']);
  expect(Buffer.from(file).equals(await readFile(join(dir, 'file.gz')))).toBe(true);
}

/** Runs a download into a mirror that sends half, and ends it there as a kill would. */
async function interrupt(mirror: Awaited<ReturnType<typeof startMirror>>): Promise<void> {
  const before: string[] = await readdir(dir).catch(() => []);
  const stopped = expect(download(request([mirror.url]))).rejects.toEqual(
    dtrainError('DATA_MISSING', 'file.gz', mirror.url),
  );
  const halfHasArrived = async () => {
    const parts = (await readdir(dir)).filter((name) => !before.includes(name));
    const sizes = parts.map(async (name) => (await stat(join(dir, name))).size);
    expect(await Promise.all(sizes)).toEqual([file.length / 2]);
  };
  await vi.waitFor(halfHasArrived, { timeout: 30_000 });
  mirror.cut();
  await stopped;
}

it('keeps the file of the first mirror, and asks no other', async () => {
  const [first, second] = [await startMirror(files), await startMirror(files)];
  const { mirror, content, unsaved } = await download(request([first.url, second.url]));
  expect([mirror, unsaved]).toEqual([first.url, undefined]);
  expect(Buffer.from(file).equals(content)).toBe(true);
  await expectOnlyTheFile();
  expect(second.asked).toEqual([]);
});

it('takes the URL of a mirror with or without a slash at its end', async () => {
  const { url, asked } = await startMirror(files);
  await download(request([url.replace(/\/$/, '')]));
  expect(asked).toHaveLength(1);
});

it('goes on where an interrupted download stopped', async () => {
  let answer = sendHalf;
  const mirror = await startMirror(files, (...given) => {
    answer(...given);
  });
  await interrupt(mirror);
  answer = sendRange;
  await download(request([mirror.url]));
  expect(mirror.asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-']);
  await expectOnlyTheFile();
});

it('starts afresh if the mirror does not send ranges', async () => {
  let answer = sendHalf;
  const mirror = await startMirror(files, (...given) => {
    answer(...given);
  });
  await interrupt(mirror);
  answer = sendAll;
  await download(request([mirror.url]));
  expect(mirror.asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-', undefined]);
  await expectOnlyTheFile();
});

it('starts afresh if what an interrupted download left is not the beginning of the file', async () => {
  let answer: typeof sendHalf = (response, bytes, asked) => {
    sendHalf(response, noise(bytes.length, 9), asked);
  };
  const mirror = await startMirror(files, (...given) => {
    answer(...given);
  });
  await interrupt(mirror);
  answer = sendRange;
  await download(request([mirror.url]));
  expect(mirror.asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-', undefined]);
  await expectOnlyTheFile();
});

it('never tries to go on from such a part again', async () => {
  let answer: typeof sendHalf = sendHalf;
  const mirror = await startMirror(wrongFiles, (...given) => {
    answer(...given);
  });
  await interrupt(mirror);
  answer = sendRange;
  await expect(download(request([mirror.url]))).rejects.toThrow('what it sent is wrong');
  expect(await readdir(dir)).toEqual([]);
});

it('does not pile up the parts of downloads that were interrupted long ago', async () => {
  const mirror = await startMirror(files, sendHalf);
  await interrupt(mirror);
  const [old = ''] = await readdir(dir);
  const longAgo = new Date(Date.now() - 120_000);
  await utimes(join(dir, old), longAgo, longAgo);
  await interrupt(mirror);
  expect(await readdir(dir)).toHaveLength(1);
  expect(await readdir(dir)).not.toContain(old);
});

it('does not go on at one mirror with what came from another', async () => {
  await interrupt(await startMirror(files, sendHalf));
  const other = await startMirror(files);
  await download(request([other.url]));
  expect(other.asked.map(({ range }) => range)).toEqual([undefined]);
  await expectOnlyTheFile();
});

it('tries the next mirror after a wrong file, and keeps nothing of that', async () => {
  const [wrong, right] = [await startMirror(wrongFiles), await startMirror(files)];
  expect((await download(request([wrong.url, right.url]))).mirror).toBe(right.url);
  expect(wrong.asked).toHaveLength(1);
  await expectOnlyTheFile();
  await expect(download(request([wrong.url]))).rejects.toEqual(
    dtrainError('DATA_MISSING', `${wrong.url}: what it sent is wrong.`),
  );
});

it('never has a wrong file under its name', async () => {
  const { url } = await startMirror(wrongFiles);
  await expect(download(request([url]))).rejects.toThrow();
  expect(await readdir(dir)).toEqual([]);
});

it('tries the next mirror after one that refuses, lacks the file, breaks off or stalls', async () => {
  const cut = await startMirror(files, (response, bytes) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 100_000), () => response.destroy());
  });
  const bad = [
    await refusingUrl(),
    (await startMirror(new Map())).url,
    cut.url,
    (await startMirror(files, sendHalf)).url,
  ];
  const good = await startMirror(files);
  const { mirror } = await download(request([...bad, good.url], { stallMs: 1500 }));
  expect(mirror).toBe(good.url);
  await expectOnlyTheFile();
});

it('keeps nothing of a mirror that sends too much, and tries the next', async () => {
  const rogue = await startMirror(files, (response) => {
    const more = () => {
      while (!response.destroyed && response.write(file));
    };
    response.on('drain', more);
    more();
  });
  await expect(download(request([rogue.url]))).rejects.toEqual(
    dtrainError('DATA_MISSING', rogue.url, 'more than the 1000000 bytes'),
  );
  expect(await readdir(dir)).toEqual([]);
  const good = await startMirror(files);
  expect((await download(request([rogue.url, good.url]))).mirror).toBe(good.url);
  await expectOnlyTheFile();
});

it('names each mirror and what was wrong with it if none serves', async () => {
  const [refusing, empty] = [await refusingUrl(), await startMirror(new Map())];
  await expect(download(request([refusing, empty.url]))).rejects.toEqual(
    dtrainError(
      'DATA_MISSING',
      `file.gz could not be downloaded`,
      `${refusing}: it refuses connections`,
      `${empty.url}: it answered 404`,
    ),
  );
  await expect(download(request([]))).rejects.toEqual(dtrainError('DATA_MISSING', 'no mirror'));
});

it('does no harm to another download of the same file at the same time', async () => {
  const { url } = await startMirror(files);
  const results = await Promise.all([1, 2, 3, 4].map(() => download(request([url]))));
  for (const { content, unsaved } of results) {
    expect(Buffer.from(file).equals(content)).toBe(true);
    expect(unsaved).toBeUndefined();
  }
  await expectOnlyTheFile();
});

it('gives the content even if it cannot be kept, and says why', async () => {
  const { url } = await startMirror(files);
  await download(request([url]));
  const beneathAFile = join(dir, 'file.gz', 'cache');
  const { content, unsaved } = await download(request([url], { dir: beneathAFile }));
  expect(Buffer.from(file).equals(content)).toBe(true);
  expect(unsaved).toMatchObject({ code: 'ENOTDIR' });
});

it("ends with the signal's reason, and asks no further mirror", async () => {
  const reason = new Error('the user has gone');
  const controller = new AbortController();
  const first = await startMirror(files, () => {
    controller.abort(reason);
  });
  const second = await startMirror(files);
  const { signal } = controller;
  await expect(download(request([first.url, second.url], { signal }))).rejects.toBe(reason);
  expect(second.asked).toEqual([]);
});
