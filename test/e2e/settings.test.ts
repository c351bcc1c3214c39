import { writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { test } from './support/place.js';

test('flags win, then variables, then the file, then the defaults', async ({ place }) => {
  const settings = { steps: 3, batch: 3, seed: 3, momentum: 0.3 };
  await writeFile(place.at('settings.json'), JSON.stringify(settings));
  const env = { DTRAIN_BATCH: '2', DTRAIN_SEED: '2', DTRAIN_CONFIG: 'settings.json' };
  const flags = ['--seed', '1', '--threads', '1', '--json', '--out', 'run'];
  const start = await place.start(['train', ...flags], { env }).event('start');
  expect(start).toMatchObject({ steps: 3, batch: 2, seed: 1, model: 'lenet5' });
});
