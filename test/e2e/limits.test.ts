import { access } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { expectError } from './support/expectations.js';
import { test } from './support/place.js';

/** Ends only if somebody or something stops it. Ten steps an epoch. */
const ENDLESS = ['--epochs', '10000', '--batch', '100', '--validation', '8000'];
/** A rate that does not depend on how long the run was meant to be. */
const RATE = ['--schedule', 'constant', '--warmup', '0', '--lr', '0.01'];

describe.concurrent('dtrain train', () => {
  test('ends by its deadline, with a checkpoint that goes on', async ({ place }) => {
    const args = ['train', ...ENDLESS, ...RATE, '--out', 'run'];
    const first = await place.result([...args, '--deadline', '4s']);
    expect(first).toMatchObject({ outcome: 'stopped', limit: 'deadline' });
    expect(String(first.resume)).toMatch(/^dtrain train --resume \S+run$/);
    const steps = Number(first.steps) + 5;
    const second = await place.result([
      ...['train', '--resume', 'run', '--steps', String(steps), '--override', 'steps'],
    ]);
    expect(second).toMatchObject({ outcome: 'complete', steps });
    expect(second.limit).toBeUndefined();
  });

  test('ends at its target accuracy, and says so', async ({ place }) => {
    const target = ['--target-accuracy', '0.3'];
    const { code, stdout } = await place.run(['train', ...ENDLESS, '--lr', '0.1', ...target]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Test accuracy .+; ended at its target accuracy after \d+ steps/m);
    expect(stdout).toMatch(/^Go on with:\n {2}dtrain train --resume /m);
  });
});

describe.concurrent('dtrain coordinator', () => {
  const PRICE = ['--price', '0/h'];
  const shared = [...ENDLESS, ...RATE, '--threads', '0', ...PRICE];

  test('keeps to its budget, and sends its workers home', async ({ place }) => {
    // Both cost 0.001 a second, so there are some four seconds; an epoch takes longer.
    const small = ['--batch', '2', '--validation', '0'];
    const args = [...shared, ...small, '--workers', '2', '--budget', '0.008', '--out', 'run'];
    const { running, url } = await place.coordinator(args);
    const workers = ['one', 'two'].map((name) =>
      place.worker(url, ['--name', name, '--price', '3.6/h']),
    );
    const result = await running.event('result');
    expect(result).toMatchObject({ outcome: 'stopped', limit: 'budget' });
    const { total, workers: accounts } = result.cost as { total: string; workers: object[] };
    expect(Number(total)).toBeGreaterThan(0);
    expect(Number(total)).toBeLessThanOrEqual(0.008);
    expect(accounts).toContainEqual(expect.objectContaining({ name: 'one' }));
    expect((await running.ended).code).toBe(0);
    for (const worker of workers) {
      const { code, stdout } = await worker.ended;
      expect(code).toBe(0);
      expect(stdout).toContain('The run has reached its limit');
    }
    const again = place.start([
      'coordinator',
      '--resume',
      'run',
      '--port',
      '0',
      '--budget',
      '0.001',
    ]);
    const { code, stderr } = await again.ended;
    expect(code).toBe(2);
    expect(stderr).toMatch(/The run has cost 0\.00\d+ USD already, and its budget is 0\.001 USD/);
  });

  test('refuses a worker of which nobody says what it costs, or that is too dear', async ({
    place,
  }) => {
    const { url } = await place.coordinator([...shared, '--budget', '1']);
    const unpriced = await place.worker(url).ended;
    expect(unpriced.code).toBe(1);
    expect(unpriced.stderr).toMatch(/nobody says what this worker costs: start it with --price/);
    const hour = ['--price', '2/h', '--billing-minimum', '1h'];
    const dear = await place.worker(url, hour).ended;
    expect(dear.code).toBe(1);
    expect(dear.stderr).toMatch(/what is left of the budget is less than this worker costs/);
  });

  test('releases a worker that the cheapest fleet does without; it exits and says why', async ({
    place,
  }) => {
    const policy = ['--policy', 'cheapest', '--release-idle', '--workers', '2'];
    const { running, url } = await place.coordinator([...shared, ...policy]);
    const cheap = place.worker(url, ['--name', 'cheap', '--price', '0.01/h']);
    const dear = place.worker(url, ['--name', 'dear', '--price', '1000/h']);
    const why = /the rest of the run would take .* USD with it and .* USD without it \(cheapest\)/;
    const spare = await running.event('worker', ({ action }) => action === 'spare');
    expect(spare).toMatchObject({ name: 'dear', reason: expect.stringMatching(why) as string });
    const ended = await dear.ended;
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/^Not needed any more: the rest of the run would take /m);
    const left = await running.event('worker', ({ action }) => action === 'left');
    expect(left).toMatchObject({ name: 'dear', workers: 1 });
    expect(left.reason).toMatch(/^it was released, since the rest of the run would take /);
    running.signal('SIGINT');
    expect((await running.ended).code).toBe(0);
    cheap.signal('SIGINT');
    expect((await cheap.ended).code).toBe(0);
  });
});

test('a balanced fleet does without a worker that costs more than it saves', async ({ place }) => {
  const policy = [
    '--policy',
    'balanced',
    '--release-idle',
    '--workers',
    '2',
    '--price',
    '0/h',
    '--threads',
    '0',
  ];
  const { running, url } = await place.coordinator([...ENDLESS, ...RATE, ...policy]);
  place.worker(url, ['--name', 'cheap', '--price', '0.01/h']);
  place.worker(url, ['--name', 'dear', '--price', '1000/h']);
  const spare = await running.event('worker', ({ action }) => action === 'spare');
  expect(spare.name).toBe('dear');
  expect(spare.reason).toMatch(/with it and .* without it \(balanced\)/);
  running.signal('SIGINT');
  expect((await running.ended).code).toBe(0);
});

describe.concurrent('a budget that cannot be kept is refused before anything is done', () => {
  test.for<[string, string, RegExp]>([
    ['1', '', /nobody says what this one does: add --price/],
    [
      '0.00001',
      '0.12/h',
      /too small for one step: this machine alone costs at least 0\.000033 USD/,
    ],
    ['1 EUR', '0.12 USD/h', /--budget is in EUR, and the run is in USD: add --rate EUR=/],
    ['1', '-0.12/h', /--price must be a price for an hour/],
  ])('%s at %s', async ([budget, price, message], { place }) => {
    const money = price === '' ? [] : [`--price=${price}`];
    const ended = await place.run(['train', '--out', 'run', '--budget', budget, ...money]);
    expectError(ended, 2, message);
    await expect(access(place.at('run'))).rejects.toThrow();
  });
});
