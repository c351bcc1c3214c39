import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { JsonEvent } from './support/running.js';
import { type Place, test } from './support/place.js';

interface Row {
  readonly fleet: string;
  readonly seconds: number;
  readonly cost: string | null;
  readonly pareto: boolean;
  readonly chosen: boolean;
}

async function fleetsOf(place: Place, args: readonly string[]): Promise<Row[]> {
  const { stdout } = await place.run(['plan', '--json', ...args]);
  return (JSON.parse(stdout) as JsonEvent).fleets as Row[];
}

const gpt3 = [
  ...['--params', '174.6e9', '--tokens', '300e9', '--flops-per-worker', '28e12'],
  ...['--price', '1.50 USD/h', '--workers', '1000'],
];

test("a language model's plan is arithmetic alone", async ({ place }) => {
  const { code, stdout } = await place.run(['plan', ...gpt3]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/1 worker +355\.7 years +4,676,785\.\d\d USD/);
  expect(stdout).toMatch(/> {2}the fastest: 1000 workers, 129\.9 days/);
});

test('this machine and workers on it are measured, planned with, and planned with again', async ({
  place,
}) => {
  const measuring = ['--workers', '1', '--threads', '1', '--seconds', '0.2', '--batch', '128'];
  const first = await fleetsOf(place, [
    ...measuring,
    ...['--price', '0.10/h', '--steps', '50', '--save', 'plan.json'],
  ]);
  expect(first.map(({ fleet }) => fleet)).toEqual([
    '1 bench-1',
    '1 thread',
    '1 thread + 1 bench-1',
  ]);
  expect(first.filter(({ chosen }) => chosen)).toHaveLength(1);
  const again = await fleetsOf(place, [
    ...['--profile', 'plan.json', '--batch', '128', '--steps', '50', '--price', '0.10/h'],
  ]);
  expect(again, 'the same figures from what was measured').toEqual(first);
  const saved = JSON.parse(await readFile(place.at('plan.json'), 'utf8')) as JsonEvent;
  expect(saved).toMatchObject({ source: 'measured', job: { steps: 50, batch: 128 } });
  const other = await place.run(['plan', '--profile', 'plan.json']);
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/was measured with --model lenet5 --batch 128/);
});

const machines = [
  { name: 'laptop', count: 2, threads: 4, samplesPerSecond: 9_000, price: '0.04/h', latencyMs: 1 },
  { name: 'spot', count: 2, threads: 8, samplesPerSecond: 30_000, price: '0.20/h', latencyMs: 1 },
];

test('the choice obeys a deadline or a budget, and says so where no fleet can', async ({
  place,
}) => {
  await writeFile(place.at('fleet.json'), JSON.stringify({ machines }));
  const plan = ['--fleet', 'fleet.json', '--batch', '1024', '--epochs', '50'];
  const all = await fleetsOf(place, plan);
  expect(all).toHaveLength(8);
  const fastest = Math.min(...all.map(({ seconds }) => seconds));
  const choice = (rows: readonly Row[]) => rows.find(({ chosen }) => chosen);
  expect(choice(all)?.seconds).toBe(fastest);
  const unhurried = await fleetsOf(place, [...plan, '--deadline', '24h']);
  expect(choice(unhurried)?.cost).toBe(
    all.map(({ cost }) => cost).sort((one, other) => Number(one) - Number(other))[0],
  );
  const hasty = await place.run(['plan', ...plan, '--deadline', '1s']);
  expect(hasty.code).toBe(1);
  expect(hasty.stdout).toMatch(/No fleet is done in 1\.0 s: the fastest, .*, takes/);
  const poor = await place.run(['plan', ...plan, '--budget', '0.000001']);
  expect(poor.code).toBe(2);
  expect(poor.stderr).toMatch(/The budget is too small for one step of any fleet/);
});

test('a table for other programs has a row for each fleet', async ({ place }) => {
  await writeFile(place.at('fleet.json'), JSON.stringify({ machines }));
  const { stdout } = await place.run(['plan', '--fleet', 'fleet.json', '--csv']);
  const [head = '', ...rows] = stdout.trim().split('\n');
  expect(rows).toHaveLength(8);
  expect(head.split(',')).toContain('cost');
  for (const row of rows) expect(row.split(',')).toHaveLength(head.split(',').length);
});

test('workers that do not come are not waited for for ever', async ({ place }) => {
  const waiting = ['--port', '0', '--workers', '1', '--wait', '0.2s', '--seconds', '0.1'];
  const { code, stderr } = await place.run(['plan', ...waiting, '--threads', '1']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/dtrain worker ws:\/\/127\.0\.0\.1:\d+/);
  expect(stderr).toMatch(/error: Only 0 of 1 workers joined in 0\.2 s/);
});

test('a described fleet is simulated with the scheduler itself', async ({ place }) => {
  await writeFile(place.at('fleet.json'), JSON.stringify({ machines }));
  const plan = ['plan', '--simulate', '--fleet', 'fleet.json', '--batch', '1024'];
  const { code, stdout } = await place.run([...plan, '--json']);
  expect(code).toBe(0);
  const { sizes } = JSON.parse(stdout) as { sizes: { workers: number; cost: string }[] };
  expect(sizes.map(({ workers }) => workers)).toEqual([1, 2, 3, 4]);
  for (const { cost } of sizes) expect(Number(cost)).toBeGreaterThan(0);
  const nobody = await place.run(['plan', '--simulate', '--threads', '1', '--seconds', '0.1']);
  expect(nobody.code).toBe(2);
  expect(nobody.stderr).toMatch(/--simulate needs workers/);
});

test('a run that was planned is compared with its plan', async ({ place }) => {
  const training = ['--batch', '128', '--steps', '40', '--threads', '1'];
  await place.run(['plan', ...training, '--seconds', '0.2', '--save', 'plan.json']);
  const planned = { fleet: '1 thread', currency: null, cost: null };
  const run = ['train', ...training, '--plan', 'plan.json', '--out', 'run'];
  expect(await place.result(run)).toMatchObject({ planned });
  const { planned: kept } = JSON.parse(await readFile(place.at('run/summary.json'), 'utf8')) as {
    planned: { trainSeconds: number; seconds: number };
  };
  expect(kept.seconds).toBeGreaterThan(kept.trainSeconds);
  const { stdout } = await place.run(['cost', 'run']);
  expect(stdout).toMatch(/^The plan for 1 thread: steps .* planned, .* taken/m);
  const other = await place.run(['train', '--plan', 'plan.json', '--steps', '1']);
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/is for --model lenet5 --batch 128, and this is .*--batch 64/);
});
