import { expect, test } from 'vitest';
import { choose, paretoFront } from '../../plan/choice.js';
import { countsUpTo, fleetsOf } from '../../plan/fleets.js';
import { nameOf, predict, type Prediction } from '../../plan/prediction.js';
import { coordinator, job, perHour, threads, worker } from './machines.js';

function made(fleet: string, seconds: number, cost: bigint | undefined): Prediction {
  return {
    fleet,
    threads: 0,
    workers: 1,
    spares: 0,
    step: null,
    samplesPerSecond: null,
    trainSeconds: seconds,
    seconds,
    workerSeconds: seconds,
    cost,
    efficiency: 1,
    limit: 'compute',
  };
}

const slow = made('slow', 100, 10n);
const fair = made('fair', 50, 20n);
const silly = made('silly', 60, 30n);
const fast = made('fast', 10, 90n);
const all = [fast, silly, slow, fair];

test('the front has every fleet that no other one beats in time and cost both', () => {
  expect([...paretoFront(all)]).toEqual([fast, fair, slow]);
  const twins = [fair, made('twin', 50, 20n)];
  expect(paretoFront(twins).size, 'one of two that are alike').toBe(1);
});

test('without prices worker-seconds are the cost', () => {
  const unpriced = all.map((one) => ({ ...one, cost: undefined }));
  expect([...paretoFront(unpriced)].map(({ fleet }) => fleet)).toEqual(['fast']);
});

test('a deadline is met as cheaply as can be, and a budget is used for speed', () => {
  const wish = (budget: bigint | null, deadline: number | null) =>
    choose(all, { budget, deadline })?.fleet;
  expect(wish(null, null)).toBe('fast');
  expect(wish(null, 60)).toBe('fair');
  expect(wish(25n, null)).toBe('fair');
  expect(wish(25n, 200)).toBe('slow');
  expect(wish(25n, 20)).toBeUndefined();
});

test('every number of each kind is compared, and few of many', () => {
  expect(countsUpTo(3)).toEqual([1, 2, 3]);
  expect(countsUpTo(20)).toEqual([1, 2, 3, 4, 8, 16, 20]);
  const fleets = fleetsOf({
    local: [threads(1), threads(2)],
    workers: [{ machine: worker(), count: 2 }],
  });
  expect(fleets.map(nameOf)).toEqual([
    '1 worker',
    '2 worker',
    '1 thread',
    '1 thread + 1 worker',
    '1 thread + 2 worker',
    '2 threads',
    '2 threads + 1 worker',
    '2 threads + 2 worker',
  ]);
});

test('of very many kinds the best for their price come first', () => {
  const kinds = Array.from({ length: 8 }, (_, index) => ({
    machine: worker({ name: `kind-${index}`, price: perHour(BigInt(100 - index)) }),
    count: 8,
  }));
  const fleets = fleetsOf({ local: [], workers: kinds }).map(nameOf);
  expect(fleets).toHaveLength(8 * 5);
  expect(fleets[0]).toBe('1 kind-7');
  expect(fleets[5]).toBe('8 kind-7 + 1 kind-6');
});

test("a run's time has its start, its steps and its evaluations, and its cost is that of all", () => {
  const priced = worker({ price: perHour(3_600_000_000n) });
  const { step, trainSeconds, seconds, cost, workerSeconds } = predict(
    [{ machine: priced, count: 2 }],
    coordinator,
    job,
  );
  expect(trainSeconds).toBeCloseTo(200 * (step?.seconds ?? NaN), 10);
  expect(seconds).toBeCloseTo(1 + trainSeconds + 2 * 2, 10);
  const there = seconds - 1;
  expect(workerSeconds, 'the coordinator is there as well').toBeCloseTo(3 * there, 10);
  // A unit a second, and each second that has begun.
  const one = 1_000_000n * BigInt(Math.ceil(there));
  expect(cost).toBe(2n * one);
  const withOwn = predict([{ machine: priced, count: 2 }], coordinator, job, priced.price);
  expect(withOwn.cost, 'and has a price as well').toBe(3n * one);
});

test('an epoch that ends in a short batch ends in a short step', () => {
  const fleet = [{ machine: threads(1), count: 1 }];
  const whole = predict(fleet, coordinator, { ...job, samples: 1_024, steps: 4 });
  const short = predict(fleet, coordinator, { ...job, samples: 576, steps: 4 });
  expect(whole.trainSeconds).toBeCloseTo(4 * 65e-4, 10);
  expect(short.trainSeconds).toBeCloseTo(2 * 65e-4 + 2 * 9e-4, 10);
});

test('a fleet with a machine of unknown price has no cost', () => {
  const fleet = [
    { machine: worker({ price: perHour(1n) }), count: 1 },
    { machine: worker(), count: 1 },
  ];
  expect(predict(fleet, coordinator, job).cost).toBeUndefined();
});

test('the efficiency is the share of the time in which all threads compute at full speed', () => {
  const { efficiency } = predict([{ machine: threads(1), count: 1 }], coordinator, job);
  expect(efficiency).toBeCloseTo(64 / 65, 10);
});
