import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { test } from './support/place.js';

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
});
