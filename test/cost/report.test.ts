import { expect, test } from 'vitest';
import type { Account, LedgerState } from '../../src/cost/ledger.js';
import { costOverTime, costReport, type EpochCost } from '../../src/cost/report.js';
import { runCost } from '../../src/cost/summary.js';

const stated = { perHour: '3.60', currency: 'EUR', minimumSeconds: 0, perGigabyte: '1.00' };

function account(changes: Partial<Account>): Account {
  return {
    name: 'a',
    threads: 1,
    price: stated,
    stays: [[0, 10e6]],
    computed: 6e6,
    waited: 3e6,
    idled: 1e6,
    duplicated: 2e6,
    lost: 1e6,
    samples: 1000,
    sent: 0,
    received: 0,
    ...changes,
  };
}

function ledger(...accounts: Account[]): LedgerState {
  const starts = [{ date: '2026-11-25T12:00:00Z', at: 0, step: 0 }];
  return { at: 20e6, currency: 'EUR', rates: {}, starts, accounts };
}

const run = { samplesPerEpoch: 1000, classes: 10 };
const epochs: EpochCost[] = [{ epoch: 1, step: 10, accuracy: 0.6, seconds: 15, total: '0.015' }];
const second = account({ name: 'b', stays: [[10e6, 20e6]], sent: 5_000_000 });

test('a total is the sum of its workers, data sent included', () => {
  expect(runCost(ledger(account({}), second))).toEqual({
    currency: 'EUR',
    total: '0.025',
    seconds: 20,
    workers: [
      { name: 'a', seconds: 10, total: '0.01' },
      { name: 'b', seconds: 10, total: '0.015' },
    ],
  });
});

test('costs are told for an epoch, a million samples, and a percent of accuracy above chance', () => {
  expect(costReport(ledger(account({}), second), epochs, run)).toMatchObject({
    perEpoch: { seconds: 10, total: '0.0125' },
    perMillionSamples: { seconds: 10_000, total: '12.50' },
    perPercent: { seconds: 0.4, total: '0.0005' },
  });
});

test('where nothing has come of it yet, nothing is told', () => {
  expect(costReport(ledger(account({ samples: 0 })), [], run)).toMatchObject({
    perEpoch: null,
    perMillionSamples: null,
    perPercent: null,
  });
});

test('waste has its time, its share and its cost', () => {
  expect(costReport(ledger(account({}), second), epochs, run).waste).toEqual({
    waiting: { seconds: 6, share: 0.3, total: '0.0075' },
    idle: { seconds: 2, share: 0.1, total: '0.0025' },
    duplicated: { seconds: 4, share: 0.2, total: '0.005' },
    lost: { seconds: 2, share: 0.1, total: '0.0025' },
  });
});

test('without prices there are worker-seconds', () => {
  const report = costReport(ledger(account({ price: null })), epochs, run);
  expect(report).toMatchObject({
    currency: null,
    total: null,
    seconds: 10,
    perEpoch: { seconds: 10, total: null },
    workers: [{ total: null, billed: null }],
    unpriced: [],
  });
  expect(costOverTime(ledger(account({ price: null }))).at(-1)).toEqual({ at: 20, cost: 10e6 });
});

test('one without a price among others is named', () => {
  const report = costReport(ledger(account({}), account({ name: 'b', price: null })), epochs, run);
  expect(report).toMatchObject({ total: '0.01', unpriced: ['b'] });
});

test('cost over time begins with nothing, rises, and ends with the total', () => {
  const points = costOverTime(ledger(account({}), second));
  expect(points[0]).toEqual({ at: 0, cost: 0 });
  expect(points.find(({ at }) => at === 10)?.cost).toBe(10_000);
  expect(points.at(-1)).toEqual({ at: 20, cost: 25_000 });
  const costs = points.map(({ cost }) => cost);
  expect(costs).toEqual(costs.toSorted((one, other) => one - other));
});
