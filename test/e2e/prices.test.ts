import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { expectError } from './support/expectations.js';
import { test } from './support/place.js';

const FILE = ['--prices', 'prices.json'];

describe.concurrent('dtrain prices', () => {
  test('adds, lists, changes and removes prices, which --instance finds', async ({ place }) => {
    const empty = await place.run(['prices', ...FILE]);
    expect(empty).toMatchObject({ code: 0 });
    expect(empty.stdout).toMatch(/^There are no prices in prices\.json yet\. Add one with:/);
    const spot = ['prices', 'set', 'c7g.large', ...FILE, '--spot', '--source', 'the bill'];
    const added = await place.run([...spot, '--price', '0.02 EUR/h']);
    expect(added.stdout).toMatch(/^added: c7g\.large \(spot\) {2}0\.02 EUR\/h/);
    const changed = await place.run([...spot, '--price', '0.36 EUR/h', '--billing-minimum', '1h']);
    expect(changed.stdout).toMatch(/^changed: /);
    const { stdout } = await place.run(['prices', ...FILE, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      prices: [{ instance: 'c7g.large', spot: true, perHour: '0.36', currency: 'EUR' }],
    });
    const instance = ['--instance', 'c7g.large', ...FILE];
    const { cost } = await place.result(['train', '--steps', '2', ...instance, '--spot']);
    expect(cost).toMatchObject({ currency: 'EUR', total: '0.36' });
    const other = await place.run(['train', '--steps', '2', ...instance]);
    expectError(other, 2, /There is no price of c7g\.large in prices\.json \(it has c7g\.large \(/);
    await place.run(['prices', 'remove', 'c7g.large', '--spot', ...FILE]);
    expect((await place.run(['prices', ...FILE])).stdout).toMatch(/^There are no prices/);
    const gone = await place.run(['prices', 'remove', 'c7g.large', ...FILE]);
    expectError(gone, 2, /There is no price of c7g\.large in prices\.json: see dtrain prices/);
  });

  test('says where a damaged file is wrong, and leaves it as it is', async ({ place }) => {
    const damaged = '{ "prices": [\n  { "instance": "a", "perHour": "-1" }\n] }\n';
    await writeFile(place.at('prices.json'), damaged);
    const wrong = /prices\.json is damaged in line 2: in the entry "a", perHour must be an amount/;
    const adding = ['prices', 'set', 'b', '--price', '1 EUR/h', '--source', 'me'];
    for (const args of [['prices'], adding, ['train', '--instance', 'a']]) {
      expectError(await place.run([...args, ...FILE]), 2, wrong);
    }
    expect(await readFile(place.at('prices.json'), 'utf8')).toBe(damaged);
  });
});
