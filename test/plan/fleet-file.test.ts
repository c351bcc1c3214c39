import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readFleetFile } from '../../plan/fleet-file.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dtrain-fleet-file-'));
const file = path.join(folder, 'fleet.json');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function read(content: unknown) {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readFleetFile(file, '--fleet');
}

const laptop = { name: 'laptop', threads: 4, samplesPerSecond: 20_000 };

test('a file describes machines in units that people use', async () => {
  const { local, workers } = await read({
    coordinator: { threads: 2, samplesPerSecond: 40_000 },
    machines: [
      {
        ...laptop,
        count: 3,
        latencyMs: 5,
        bandwidthMbit: 100,
        price: '0.12 EUR/h',
        failuresPerHour: 0.5,
      },
    ],
  });
  expect(local).toMatchObject({ threads: 2, microBatchSeconds: 2e-4, link: null });
  expect(workers).toEqual([
    {
      machine: {
        ...{ name: 'laptop', threads: 4, microBatchSeconds: 4e-4, shareSeconds: 0 },
        link: { latency: 5e-3, byteSeconds: 8e-8 },
        ...{ sharesCores: false, contention: 1 },
        price: { perHour: 120_000n, currency: 'EUR', minimumSeconds: 0, perGigabyte: 0n },
      },
      ...{ count: 3, failuresPerHour: 0.5, awaySeconds: 60 },
    },
  ]);
});

test('an instance is looked up in the price file, as workers look theirs up', async () => {
  const entry = { instance: 'c7g.large', currency: 'USD', date: '2026-11-20', source: 'the page' };
  const prices = path.join(folder, 'prices.json');
  const content = {
    prices: [
      { ...entry, perHour: '0.07' },
      { ...entry, spot: true, perHour: '0.03', minimumSeconds: 60 },
    ],
  };
  writeFileSync(prices, JSON.stringify(content));
  const machines = [
    { ...laptop, instance: 'c7g.large', spot: true },
    { ...laptop, name: 'other', instance: 'c7g.large' },
  ];
  writeFileSync(file, JSON.stringify({ machines }));
  const { workers } = await readFleetFile(file, '--fleet', prices);
  expect(workers.map(({ machine: { price } }) => price)).toEqual([
    { perHour: 30_000n, currency: 'USD', minimumSeconds: 60, perGigabyte: 0n },
    { perHour: 70_000n, currency: 'USD', minimumSeconds: 0, perGigabyte: 0n },
  ]);
  writeFileSync(file, JSON.stringify({ machines: [{ ...laptop, instance: 'm7i.large' }] }));
  await expect(readFleetFile(file, '--fleet', prices)).rejects.toThrow(
    /fleet\.json: laptop: There is no price of m7i\.large in .*prices\.json \(it has c7g\.large,/,
  );
});

test('a machine whose link and price are not described has neither cost', async () => {
  const { local, workers } = await read({ machines: [laptop] });
  expect(local).toBeNull();
  expect(workers[0]).toMatchObject({ count: 1, failuresPerHour: 0 });
  expect(workers[0]?.machine).toMatchObject({
    link: { latency: 0, byteSeconds: 0 },
    price: null,
  });
});

test.each([
  ['{', 'it is not valid JSON'],
  [[], 'it must be an object'],
  [{ machines: [] }, 'machines must have at least one machine'],
  [
    { machines: [{ ...laptop, price: '-0.12/h' }] },
    'machine 1 ."laptop".: .*price must be a price',
  ],
  [{ machines: [{ ...laptop, threads: 0 }] }, 'machine 1 .*threads must be a whole number from 1'],
  [{ machines: [laptop, { ...laptop, name: 'b', watts: 3 }] }, 'machine 2 .*unknown field "watts"'],
  [{ machines: [{ ...laptop, latencyMs: -1 }] }, 'latencyMs must be milliseconds'],
  [{ machines: [{ name: 'x', threads: 1 }] }, 'samplesPerSecond must be samples a second'],
  [{ machines: [{ ...laptop, spot: true }] }, 'laptop: --spot goes with --instance'],
  [{ machines: [{ ...laptop, price: '1/h', instance: 'a' }] }, 'laptop: price and instance are'],
  [{ machines: [laptop, laptop] }, 'two machines are called laptop'],
  [
    {
      machines: [
        { ...laptop, count: 600 },
        { ...laptop, name: 'b', count: 600 },
      ],
    },
    'it has 1200 machines, and a run has 1024 workers at most',
  ],
])('%j is refused: %s', async (content, complaint) => {
  await expect(read(content)).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringMatching(new RegExp(`fleet\\.json: .*${complaint}`)) as string,
  });
});

test('a file that is not there is named', async () => {
  await expect(readFleetFile(path.join(folder, 'no.json'), '--fleet')).rejects.toThrow(
    /Cannot read .*no\.json, named by --fleet: there is no such file/,
  );
});
