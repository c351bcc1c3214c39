import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { appeared } from './support/files.js';
import { type Place, test } from './support/place.js';

interface Account {
  readonly name: string;
  readonly total: string;
  readonly samples: number;
  readonly seconds: number;
  readonly price: { readonly perHour: string };
}

interface Costs {
  readonly total: string;
  readonly seconds: number;
  readonly samples: number;
  readonly starts: readonly object[];
  readonly workers: readonly Account[];
}

/** What `dtrain cost --json` says of a run. */
async function costOf(place: Place, run: string): Promise<Costs> {
  const { stdout } = await place.run(['cost', run, '--json']);
  return (JSON.parse(stdout) as { cost: Costs }).cost;
}

describe.concurrent('what a run costs', () => {
  test('is in its result, and dtrain cost prints the same', async ({ place }) => {
    const flags = ['--steps', '20', '--name', 'paid', '--price', '0.36 EUR/h'];
    const result = await place.result(['train', ...flags, '--billing-minimum', '1h']);
    expect(result.cost).toMatchObject({
      currency: 'EUR',
      total: '0.36',
      workers: [{ name: 'local', total: '0.36' }],
    });
    const json = await place.run(['cost', 'paid', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ run: 'paid', cost: result.cost });
    const csv = await place.run(['cost', 'paid', '--csv']);
    expect(csv.stdout).toMatch(/^name,threads,.*\nlocal,\d+,0\.36,.*,3600,0\.36,EUR\n$/);
    const page = place.at('cost.html');
    const table = await place.run(['cost', 'paid', '--html', page]);
    expect(table.stdout).toContain('0.36 EUR');
    expect(await readFile(page, 'utf8')).toContain('Accuracy against cost');
  });

  test('is in worker-seconds where nobody says a price', async ({ place }) => {
    const { cost } = await place.result(['train', '--steps', '5', '--name', 'free']);
    expect(cost).toMatchObject({ currency: null, total: null, workers: [{ total: null }] });
    const { stdout } = await place.run(['cost', 'free']);
    expect(stdout).toContain('worker-seconds in all; nobody said what anything costs.');
  });

  test('survives a kill: what was paid stays paid, and no sample counts twice', async ({
    place,
  }) => {
    const epochs = ['--batch', '1000', '--epochs', '8', '--checkpoint-every', '4'];
    const flags = [...epochs, '--threads', '1', '--price', '3600/h', '--out', 'run'];
    const running = place.start(['train', ...flags, '--json']);
    await running.event('checkpoint');
    await appeared(place.at('run/ledger.json'));
    expect(running.signal('SIGKILL'), 'it still ran').toBe(true);
    await running.ended;
    const before = await costOf(place, 'run');
    const { cost, samples } = await place.result(['train', '--resume', 'run']);
    const after = await costOf(place, 'run');
    expect(after).toMatchObject(cost as object);
    expect(Number(after.total)).toBeGreaterThanOrEqual(Number(before.total));
    expect(after.seconds).toBeGreaterThan(before.seconds);
    expect(after.samples, 'each sample of each epoch once').toBe(72_000);
    expect(samples).toBe(72_000);
    expect(after.starts).toHaveLength(2);
    expect(after.workers).toHaveLength(1);
    expect(await costOf(place, 'run'), 'it says the same again').toEqual(after);
  });

  test('is that of each of two workers of different price', async ({ place }) => {
    const steps = ['--batch', '1000', '--steps', '9', '--threads', '0', '--workers', '2'];
    const { running, url } = await place.coordinator([...steps, '--out', 'run']);
    for (const [name, price] of [
      ['dear', '3600/h'],
      ['cheap', '360/h'],
    ] as const) {
      place.worker(url, ['--name', name, '--price', price]);
    }
    await running.event('result');
    await running.ended;
    const { workers, total } = await costOf(place, 'run');
    const account = (name: string) => workers.find((worker) => worker.name === name);
    const [dear, cheap] = [account('dear'), account('cheap')];
    expect([dear?.price.perHour, cheap?.price.perHour]).toEqual(['3600.00', '360.00']);
    // A unit, and a tenth of one, for each second that has begun.
    expect(Number(dear?.total)).toBe(Math.ceil(dear?.seconds ?? NaN));
    expect(Number(cheap?.total)).toBeCloseTo(Math.ceil(cheap?.seconds ?? NaN) / 10, 6);
    expect(Number(total)).toBeCloseTo(Number(dear?.total) + Number(cheap?.total), 6);
    expect((dear?.samples ?? NaN) + (cheap?.samples ?? NaN)).toBe(9_000);
  });
});
