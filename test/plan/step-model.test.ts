import { expect, test } from 'vitest';
import { blockOf, shareOutInFewPieces } from '../../coordinator/ranges.js';
import { predictStep, slowdownOf } from '../../plan/step-model.js';
import { coordinator, threads, worker } from './machines.js';

const PARAMETERS = 1_000;
const WEIGHTS = 4 * PARAMETERS;
const PIECE = 4 * (PARAMETERS + 2);

test("local threads alone take their micro-batches and the step's serial part", () => {
  const one = predictStep([threads(1)], coordinator, 64, PARAMETERS);
  expect(one.seconds).toBeCloseTo(64e-4 + 1e-4, 10);
  const four = predictStep([threads(4)], coordinator, 64, PARAMETERS);
  expect(four.seconds).toBeCloseTo(16e-4 + 1e-4 + 3 * 5e-5, 10);
  expect([four.compute, four.link, four.serial]).toEqual([
    expect.closeTo(16e-4, 10),
    0,
    expect.closeTo(2.5e-4, 10),
  ]);
});

test('micro-batches that do not divide by the threads leave some of them waiting', () => {
  const three = predictStep([threads(3)], { ...coordinator, grain: 2 }, 8, PARAMETERS);
  expect(three.compute, 'one thread has two pairs').toBeCloseTo(4e-4, 10);
});

test('a worker adds the time of its messages on the link and on the main thread', () => {
  const { seconds, compute, link, serial } = predictStep([worker()], coordinator, 64, PARAMETERS);
  const bytes = WEIGHTS + PIECE;
  expect(compute).toBeCloseTo(64e-4, 10);
  expect(link).toBeCloseTo(2e-3 + bytes * 1e-8, 10);
  // What the main thread needs to send the range is hidden behind the weights on their way.
  const busy = 2 * 1e-5 + bytes * 1e-9 + 2e-5 + 3e-5;
  expect(serial).toBeCloseTo(busy, 10);
  expect(seconds).toBeCloseTo(compute + link + serial, 12);
});

test('answers that come at the same time are taken one after the other', () => {
  const free = { messageSeconds: 0, byteSeconds: 0, addSeconds: 0, updateSeconds: 0 };
  const slow = { ...coordinator, ...free, addSeconds: 1e-3 };
  const two = predictStep([worker(), worker()], slow, 64, PARAMETERS);
  const four = predictStep(
    Array.from({ length: 4 }, () => worker()),
    slow,
    64,
    PARAMETERS,
  );
  expect(two.serial).toBeCloseTo(2e-3, 10);
  expect(four.serial).toBeCloseTo(4e-3, 10);
});

test("shares are the coordinator's own division", () => {
  const machines = [worker(), worker({ microBatchSeconds: 3e-4 }), worker({ threads: 2 })];
  const { shares } = predictStep(machines, coordinator, 64, PARAMETERS);
  const link = 3e-5 + (WEIGHTS + PIECE) * (1e-9 + 1e-8) + 2e-3;
  const speeds = [1e-4, 3e-4, 5e-5].map((pace) => ({ link, pace }));
  const expected = shareOutInFewPieces({ first: 0, last: 64 }, speeds, blockOf(64, 3));
  expect(shares).toEqual(expected.ranges.map(({ first, last }) => last - first));
  expect(shares.reduce((sum, share) => sum + share)).toBe(64);
});

test('the local threads go alone where workers only cost time', () => {
  const far = worker({ link: { latency: 1, byteSeconds: 0 } });
  const { shares, bytes, seconds } = predictStep([threads(2), far], coordinator, 64, PARAMETERS);
  expect(shares).toEqual([64, 0]);
  expect(bytes).toEqual([
    { sent: 0, received: 0 },
    { sent: 0, received: 0 },
  ]);
  expect(seconds).toBe(predictStep([threads(2)], coordinator, 64, PARAMETERS).seconds);
});

test('threads that share cores slow each other down', () => {
  const shared = { sharesCores: true, contention: 1.5 };
  expect(slowdownOf(shared, { cores: 4 }, 1)).toBe(1);
  expect(slowdownOf(shared, { cores: 4 }, 4)).toBe(1.5);
  expect(slowdownOf(shared, { cores: 4 }, 8)).toBe(3);
  expect(slowdownOf(shared, { cores: 1 }, 2)).toBe(2);
  expect(slowdownOf({ ...shared, sharesCores: false }, { cores: 1 }, 8)).toBe(1);
});

test('what steps took beyond the rest is added, in proportion between the numbers measured', () => {
  const waits = [
    { workers: 1, seconds: 1e-3 },
    { workers: 2, seconds: 3e-3 },
    { workers: 4, seconds: 4e-3 },
  ];
  const added = [1, 2, 3, 4, 8].map((count) => {
    const machines = Array.from({ length: count }, () => worker());
    const [longer = NaN, shorter = NaN] = [{ ...coordinator, waits }, coordinator].map(
      (one) => predictStep(machines, one, 64, PARAMETERS).seconds,
    );
    return longer - shorter;
  });
  for (const [index, expected] of [1e-3, 3e-3, 3.5e-3, 4e-3, 6e-3].entries()) {
    expect(added[index]).toBeCloseTo(expected, 10);
  }
});
