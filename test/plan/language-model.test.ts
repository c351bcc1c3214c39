import { expect, test } from 'vitest';
import { predictLanguageModel, trainingFlops } from '../../plan/language-model.js';
import { perHour } from './machines.js';

/**
 * GPT-3: 174.6 billion parameters and 300 billion tokens, 3.14e23 operations (T. Brown et al.,
 * Language models are few-shot learners, 2020, table D.1). About 355 years of a V100 at its
 * theoretical 28 TFLOP/s, and 4.6 million USD at 1.50 USD an hour (C. Li, OpenAI's GPT-3 language
 * model: a technical overview, Lambda, 2020).
 */
const gpt3 = { parameters: 174.6e9, tokens: 300e9 };

test("the published estimate of GPT-3's training follows from its published inputs", () => {
  expect(trainingFlops(gpt3)).toBeCloseTo(3.14e23, -21);
  const predictions = predictLanguageModel({
    ...gpt3,
    flopsPerWorker: 28e12,
    utilisation: 1,
    workers: 1_000,
    price: perHour(1_500_000n),
  });
  const [one] = predictions;
  const years = (one?.seconds ?? NaN) / (365.25 * 24 * 3600);
  expect(years).toBeGreaterThan(354.5);
  expect(years).toBeLessThan(356.5);
  const millions = Number(one?.cost ?? NaN) / 1e12;
  expect(millions).toBeGreaterThan(4.6);
  expect(millions).toBeLessThan(4.7);
  const many = predictions.at(-1);
  expect(many?.workers).toBe(1_000);
  expect(many?.seconds).toBeCloseTo((one?.seconds ?? NaN) / 1_000, 0);
  expect(many?.cost, 'as many GPU-hours cost as much').toBe(one?.cost);
});

test('what training does not use of a worker takes time and money', () => {
  const whole = { ...gpt3, flopsPerWorker: 28e12, utilisation: 1, workers: 1, price: null };
  const [full] = predictLanguageModel(whole);
  const [part] = predictLanguageModel({ ...whole, utilisation: 0.25 });
  expect((part?.seconds ?? NaN) / (full?.seconds ?? NaN)).toBeCloseTo(4, 10);
  expect(part?.efficiency).toBe(0.25);
  expect(part?.cost, 'without a price').toBeUndefined();
});
