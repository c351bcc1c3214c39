import { expect, test } from 'vitest';
import { contentionOf, fitMessages, fitWorker, type Round } from '../../plan/fit.js';
import { slowdownOf } from '../../plan/step-model.js';

/** Rounds of a worker of which all is known. */
function round(microBatches: number, bytes: number): Round {
  const own = 2e-4 + microBatches * 1e-4;
  const busy = 3 * 1e-5 + bytes * 1e-9;
  return { microBatches, bytes, own, busy, elapsed: own + busy + 2 * 5e-3 + bytes * 8e-8 };
}

function roundsOf(change: (round: Round, index: number) => Round = (same) => same) {
  const several = (microBatches: number, bytes: number): Round[] =>
    Array.from({ length: 5 }, (_, index) => change(round(microBatches, bytes), index));
  return {
    small: several(4, 500_000),
    whole: several(64, 500_000),
    pieces: several(62, 2_500_000),
  };
}

test('the parameters of a worker and its link come out of its rounds', () => {
  const { microBatchSeconds, shareSeconds, link } = fitWorker(roundsOf(), 2);
  expect(microBatchSeconds).toBeCloseTo(2e-4, 10);
  expect(shareSeconds).toBeCloseTo(2e-4, 10);
  expect(link.latency).toBeCloseTo(5e-3, 10);
  expect(link.byteSeconds).toBeCloseTo(8e-8, 14);
  const { messageSeconds, byteSeconds } = fitMessages([roundsOf(), roundsOf()]);
  expect(messageSeconds).toBeCloseTo(1e-5, 10);
  expect(byteSeconds).toBeCloseTo(1e-9, 14);
});

test('a round that was disturbed does not move them', () => {
  const disturbed = roundsOf((one, index) =>
    index === 2 ? { ...one, own: 10 * one.own, elapsed: 10 * one.elapsed } : one,
  );
  expect(fitWorker(disturbed, 1)).toEqual(fitWorker(roundsOf(), 1));
});

test('noise never makes a cost negative', () => {
  const { small, whole, pieces } = roundsOf();
  const fitted = fitWorker({ small: whole, whole: small, pieces }, 1);
  expect(fitted.microBatchSeconds).toBeGreaterThanOrEqual(0);
  const backwards = fitWorker({ small, whole: pieces, pieces: whole }, 1);
  expect(backwards.link.latency).toBeGreaterThanOrEqual(0);
  expect(backwards.link.byteSeconds).toBeGreaterThanOrEqual(0);
});

test('a batch of few micro-batches has rounds of one size, and the link is all latency', () => {
  const { small, whole } = roundsOf();
  const { link } = fitWorker({ small, whole, pieces: [] }, 1);
  expect(link.byteSeconds).toBe(0);
  expect(link.latency).toBeCloseTo((1e-2 + 500_000 * 8e-8) / 2, 10);
});

test('contention is what the slowdown was made of', () => {
  for (const [busy, cores] of [
    [2, 2],
    [4, 2],
    [3, 8],
  ] as const) {
    const slowdown = slowdownOf({ sharesCores: true, contention: 1.3 }, { cores }, busy);
    expect(contentionOf(slowdown, busy, cores)).toBeCloseTo(1.3, 10);
  }
  expect(contentionOf(1, 1, 4), 'one thread tells nothing').toBe(1);
});
