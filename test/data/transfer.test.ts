import { expect, it } from 'vitest';
import { describeFailure, transfer } from '../../src/data/transfer.js';
import { noise, refusingUrl, sendAll, sendHalf, startMirror, dtrainError } from './helpers.js';

const file = noise(100_000);
const files = new Map([['file', file]]);
const limits = { maxBytes: 100_000, stallMs: 60_000 };

function collector() {
  const chunks: Uint8Array[] = [];
  let begun = 0;
  return {
    begin: () => {
      begun++;
      return Promise.resolve();
    },
    append: (chunk: Uint8Array) => Promise.resolve(void chunks.push(chunk)),
    begun: () => begun,
    bytes: () => Buffer.concat(chunks),
  };
}

async function failure(url: string, settings: Partial<typeof limits> = {}): Promise<unknown> {
  return transfer(url, 0, { ...limits, ...settings }, collector()).catch((error: unknown) => error);
}

it('gets a whole file, asking for no range', async () => {
  const { url, asked } = await startMirror(files);
  const sink = collector();
  expect(await transfer(`${url}file`, 0, limits, sink)).toBe(true);
  expect(sink.bytes().equals(file)).toBe(true);
  expect(sink.begun()).toBe(1);
  expect(asked).toEqual([{ name: 'file', range: undefined }]);
});

it('gets the rest of a file from a server that sends ranges', async () => {
  const { url, asked } = await startMirror(files);
  const sink = collector();
  expect(await transfer(`${url}file`, 40_000, limits, sink)).toBe(true);
  expect(sink.bytes().equals(file.subarray(40_000))).toBe(true);
  expect(asked).toEqual([{ name: 'file', range: 'bytes=40000-' }]);
});

it('takes nothing from a server that sends another range, the whole file, or no rest', async () => {
  const shifted = await startMirror(files, (response) => {
    response.writeHead(206, { 'content-range': 'bytes 4000-99999/100000' }).end('wrong bytes');
  });
  const sink = collector();
  expect(await transfer(`${shifted.url}file`, 40_000, limits, sink)).toBe(false);
  const whole = await startMirror(files, sendAll);
  expect(await transfer(`${whole.url}file`, 40_000, limits, sink)).toBe(false);
  const ranges = await startMirror(files);
  expect(await transfer(`${ranges.url}file`, 100_000, limits, sink)).toBe(false);
  expect([sink.begun(), sink.bytes().length]).toEqual([0, 0]);
});

it('gives a file up that is announced as too large, before any of it is taken', async () => {
  const { url } = await startMirror(files);
  const sink = collector();
  await expect(transfer(`${url}file`, 0, { ...limits, maxBytes: 99_999 }, sink)).rejects.toEqual(
    dtrainError('DATA_DAMAGED', 'more than the 99999 bytes'),
  );
  expect(sink.begun()).toBe(0);
});

it('gives a file up that goes on for ever, at the limit', async () => {
  const { url } = await startMirror(files, (response) => {
    const more = () => {
      while (!response.destroyed && response.write(file));
    };
    response.on('drain', more);
    more();
  });
  const sink = collector();
  const limited = { ...limits, maxBytes: 1_000_000 };
  await expect(transfer(`${url}file`, 0, limited, sink)).rejects.toEqual(
    dtrainError('DATA_DAMAGED', 'more than the 1000000 bytes'),
  );
  expect(sink.bytes().length).toBeGreaterThan(0);
  expect(sink.bytes().length).toBeLessThanOrEqual(1_000_000);
});

it('counts what came earlier towards the limit', async () => {
  const { url } = await startMirror(files);
  const limited = { ...limits, maxBytes: 99_999 };
  await expect(transfer(`${url}file`, 99_000, limited, collector())).rejects.toThrow('more than');
});

it('gives up a server that stops half way, or never answers', async () => {
  const half = await startMirror(files, sendHalf);
  expect(describeFailure(await failure(`${half.url}file`, { stallMs: 300 }))).toBe(
    'it sent nothing for 0.3 s',
  );
  const silent = await startMirror(files, () => undefined);
  expect(describeFailure(await failure(`${silent.url}file`, { stallMs: 100 }))).toBe(
    'it sent nothing for 0.1 s',
  );
});

it('does not give up a server that is slow but goes on', async () => {
  const { url } = await startMirror(files, (response) => {
    let at = 0;
    const drip = setInterval(() => {
      response.write(file.subarray(at, (at += 5_000)));
      if (at === file.length) {
        clearInterval(drip);
        response.end();
      }
    }, 100);
  });
  const sink = collector();
  // Twenty times 100 ms: longer than the longest silence allowed, which counts from the last byte.
  expect(await transfer(`${url}file`, 0, { ...limits, stallMs: 1500 }, sink)).toBe(true);
  expect(sink.bytes().equals(file)).toBe(true);
});

it('says in plain words why a server could not be reached, at once', async () => {
  expect(describeFailure(await failure(await refusingUrl()))).toBe(
    'it refuses connections (ECONNREFUSED)',
  );
  expect(describeFailure(await failure('http://nowhere.invalid/file'))).toMatch(
    /^its name cannot be resolved \(E\w+\)$/,
  );
  expect(describeFailure(await failure('not a URL'))).toBe('Invalid URL');
});

it('says what a server answered if that is an error', async () => {
  const { url } = await startMirror(files);
  expect(describeFailure(await failure(`${url}another`))).toBe('it answered 404');
});

it('says so if the server breaks off', async () => {
  const { url } = await startMirror(files, (response, bytes) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 50_000), () => response.destroy());
  });
  expect(describeFailure(await failure(`${url}file`))).toMatch(/other side closed|ECONNRESET/);
});

it("ends with the signal's reason if that is aborted, before or during the transfer", async () => {
  const reason = new Error('the user has gone');
  const aborted = { ...limits, signal: AbortSignal.abort(reason) };
  const { url, asked } = await startMirror(files, sendHalf);
  await expect(transfer(`${url}file`, 0, aborted, collector())).rejects.toBe(reason);
  expect(asked).toEqual([]);

  const controller = new AbortController();
  const sink = collector();
  const running = transfer(
    `${url}file`,
    0,
    { ...limits, signal: controller.signal },
    {
      begin: sink.begin,
      append: async (chunk) => {
        await sink.append(chunk);
        controller.abort(reason);
      },
    },
  );
  await expect(running).rejects.toBe(reason);
  expect(sink.bytes().length).toBeGreaterThan(0);
});
