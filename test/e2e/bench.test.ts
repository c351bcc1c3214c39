import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, vi } from 'vitest';
import { eventsOf } from './support/events.js';
import { expectError } from './support/expectations.js';
import { type Place, test } from './support/place.js';
import { freePort } from './support/ports.js';
import { processGroup } from './support/process-group.js';
import type { JsonEvent, Running } from './support/running.js';

/** Warm-up included, a run has 15 steps. */
const SHORT = ['--engine', 'wasm', '--steps', '12'];

interface Row {
  readonly kind: string;
  readonly workers: number;
  readonly batch: number;
  readonly step: Readonly<Record<string, number>>;
  readonly bytes: { readonly sent: number; readonly received: number } | null;
}
interface Tables {
  readonly tables: readonly { readonly scaling: string; readonly rows: readonly Row[] }[];
  readonly weights: readonly { readonly batch: number; readonly weightsSha256: string[] }[];
}

describe.concurrent('dtrain bench', () => {
  test('measures each configuration and finds the weights of dtrain train', async ({ place }) => {
    const flags = ['--workers', '1,2', '--runs', '1', '--html', 'report.html', '--json'];
    const ended = await place.run(['bench', ...SHORT, ...flags]);
    expect(ended.code, ended.stderr).toBe(0);
    const events = eventsOf(ended);
    const runs = events.slice(0, -1);
    expect(runs.map(({ event }) => event)).toEqual(runs.map(() => 'run'));
    expect(runs.map(nameOf)).toEqual(CONFIGURATIONS);
    const { tables, weights } = events.at(-1) as unknown as Tables;
    expect(tables.map(({ scaling }) => scaling)).toEqual(['strong', 'weak']);
    for (const { kind, step, bytes, workers } of tables.flatMap(({ rows }) => rows)) {
      const { seconds = 0, wait = 0, ...phases } = step;
      const parts = Object.values(phases).reduce((sum, part) => sum + part, wait);
      expect(parts).toBeCloseTo(seconds, 9);
      expect(Math.min(phases.compute ?? 0, phases.update ?? 0)).toBeGreaterThan(0);
      if (kind === 'threads') expect(bytes).toBeNull();
      // The weights there and a sum back, for one worker at least.
      else expect(Math.min(bytes?.sent ?? 0, bytes?.received ?? 0)).toBeGreaterThan(61_706 * 4);
      if (workers === 1) expect(wait).toBeLessThan(seconds);
    }
    expect(await leftBehind(place), 'nothing but the report stays').toEqual(['report.html']);
    for (const { batch, weightsSha256 } of weights) {
      const alone = await place.result(['train', '--steps', '15', '--batch', String(batch)]);
      expect(weightsSha256).toEqual([alone.weightsSha256]);
    }
    expect(await readFile(place.at('report.html'), 'utf8')).toContain('<canvas id="chart-5"');
  });

  test('measures workers that join, which stay from run to run and leave after the last', async ({
    place,
  }) => {
    const port = await freePort();
    const what = ['--kinds', 'threads', '--workers', '1', '--scaling', 'strong', '--runs', '2'];
    const join = ['--joined', '2', '--port', port];
    const bench = place.start(['bench', ...SHORT, ...what, ...join, '--json']);
    await bench.line(/^Configurations to measure: 2/, 'stderr');
    const url = `ws://127.0.0.1:${port}`;
    const workers = ['one', 'two'].map((name) => place.worker(url, ['--name', name]));
    const ended = await bench.ended;
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain(`  dtrain worker ${url}`);
    for (const worker of workers) expect((await worker.ended).code).toBe(0);
    const events = eventsOf(ended);
    expect(events.slice(0, -1).map(nameOf)).toEqual([
      'threads 1 64',
      'joined 2 64',
      'joined 2 64',
      'threads 1 64',
    ]);
    const { tables, weights } = events.at(-1) as unknown as Tables;
    expect(tables[0]?.rows.map(({ kind, workers }) => [kind, workers])).toEqual([
      ['threads', 1],
      ['joined', 2],
    ]);
    expect(weights.map(({ weightsSha256 }) => weightsSha256.length)).toEqual([1]);
  });

  test('prints a table, or CSV', async ({ place }) => {
    const flags = ['--workers', '1', '--runs', '1', '--kinds', 'threads', '--scaling', 'strong'];
    const table = await place.run(['bench', ...SHORT, ...flags]);
    expect(table.code).toBe(0);
    expect(table.stdout).toContain('Strong scaling: a batch of 64 in all; 1 run of 12 steps');
    expect(table.stdout).toMatch(/^1 thread +64 .* 100\.0 %$/m);
    expect(table.stdout).toMatch(/^The same weights from 1 runs? .*SHA-256 [0-9a-f]{64}$/m);
    expect(table.stderr).toMatch(/^round 1\/1 {2}1 thread, batch 64: [\d,]+ samples\/s$/m);
    const csv = await place.run(['bench', ...SHORT, ...flags, '--csv', '--quiet']);
    expect(csv).toMatchObject({ code: 0, stderr: '' });
    expect(csv.stdout).toMatch(/^scaling,kind,workers,.*\nstrong,threads,1,64,12,1,.*\n$/);
  });

  test('chooses the same number of steps for all where a time is given, and goes in rounds', async ({
    place,
  }) => {
    const what = [
      '--kinds',
      'threads',
      '--scaling',
      'strong',
      '--workers',
      '2',
      '--engine',
      'wasm',
    ];
    const ended = await place.run(['bench', ...what, '--runs', '2', '--seconds', '0.2', '--json']);
    expect(ended.code, ended.stderr).toBe(0);
    const runs = eventsOf(ended).filter(({ event }) => event === 'run');
    expect(runs.map(({ round, workers }) => [round, workers])).toEqual([
      [1, 1],
      [1, 2],
      [2, 2],
      [2, 1],
    ]);
    const steps = new Set(runs.map((run) => Number(run.steps)));
    expect(steps.size).toBe(1);
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(10);
  });

  test.for([
    ['--workers 0', /--workers must be whole numbers from 1 to 256, separated by commas, not "0"/],
    ['--workers 1,two', /--workers must be whole numbers/],
    ['--kinds machines', /--kinds must be a list of threads, processes/],
    ['--scaling linear', /--scaling must be a list of strong, weak/],
    ['--runs 0', /--runs must be a whole number from 1/],
    ['--seconds 0', /--seconds must be a number of seconds from 0.1/],
    ['--json --csv', /--json and --csv exclude each other/],
    ['--batch 65536 --workers 2', /--batch times --workers .*65536.*131072/],
    ['--batch 9001 --scaling strong --steps 1', /9001 samples is more than the 9000/],
  ] as const)('%s is wrong usage', async ([line, words], { place }) => {
    expectError(await place.run(['bench', ...line.split(' ')]), 2, words);
  });

  test('says at once that the report cannot be written', async ({ place }) => {
    const ended = await place.run(['bench', '--html', 'nowhere/report.html']);
    expectError(ended, 1, /Cannot write nowhere\/report\.html: .*--html/);
  });
});

/** Runs of two worker processes that nobody waits for. */
const ENDLESS = [
  '--engine',
  'wasm',
  '--kinds',
  'processes',
  '--workers',
  '2',
  '--scaling',
  'strong',
  '--json',
];

describe.concurrent('the worker processes of dtrain bench', () => {
  for (const [signal, flags, before] of [
    ['SIGINT', ['--steps', '1000000'], 'in its first run'],
    ['SIGTERM', ['--steps', '12', '--runs', '1000'], 'in one of its runs'],
  ] as const) {
    test(`end with it on ${signal} ${before}`, async ({ place }) => {
      const { bench } = await withWorkers(place, flags);
      bench.signal(signal);
      const ended = await bench.ended;
      expect(processGroup(bench.pid)).toEqual([]);
      expectError(ended, 1, /interrupted/);
      expect(await leftBehind(place)).toEqual([]);
    });
  }

  test('end by themselves if it is killed', async ({ place }) => {
    const { bench } = await withWorkers(place);
    bench.signal('SIGKILL');
    expect((await bench.ended).signal).toBe('SIGKILL');
    await vi.waitUntil(() => processGroup(bench.pid).length === 0, { timeout: 30_000 });
  });

  test('one that is killed ends the benchmark, which says so', async ({ place }) => {
    const { bench, workers } = await withWorkers(place);
    process.kill(workers[0] ?? 0, 'SIGKILL');
    const ended = await bench.ended;
    expect(processGroup(bench.pid)).toEqual([]);
    expectError(ended, 1, /A worker process ended by itself: SIGKILL\.$/);
  });
});

/** A benchmark while its worker processes are there. */
async function withWorkers(
  place: Place,
  flags: readonly string[] = ['--steps', '1000000'],
): Promise<{ bench: Running; workers: number[] }> {
  const bench = place.start(['bench', ...ENDLESS, ...flags], { detached: true });
  if (flags.includes('--runs')) await bench.event('run');
  const find = (): number[] =>
    processGroup(bench.pid)
      .filter(({ command }) => command.includes(' worker ws://'))
      .map(({ pid }) => pid);
  const workers = await vi.waitUntil(() => (find().length > 0 ? find() : undefined), {
    timeout: 30_000,
  });
  return { bench, workers };
}

const CONFIGURATIONS = [
  'threads 1 64',
  'threads 2 64',
  'processes 1 64',
  'processes 2 64',
  'threads 2 128',
  'processes 2 128',
];

function nameOf({ kind, workers, batch }: JsonEvent): string {
  return [kind, workers, batch].join(' ');
}

/** What is in a test's folder, but for the user's home and cache. */
async function leftBehind(place: Place): Promise<string[]> {
  const names = await readdir(place.folder);
  return names.filter((name) => !['home', 'cache'].includes(name));
}
