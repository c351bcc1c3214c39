import { describe, expect, it } from 'vitest';
import { buildModel } from '../../src/model/model.js';
import { optimizers, stepHyperparameters } from '../../src/optim/optimizer.js';
import { largestRelativeError } from '../reference/compare.js';
import { newState, step } from '../reference/optimizers.js';
import { randomNumbers, randomValues } from '../reference/random.js';
import { emptyState, EngineUnderTest } from './harness.js';

/** 33 weights: whole vectors and a tail. */
const model = buildModel({
  name: 'test',
  input: [5, 2, 1],
  layers: [{ type: 'flatten' }, { type: 'dense', units: 3 }],
});
const SAMPLES = 48;

describe.each(optimizers)('%s', (optimizer) => {
  it.each([0, 0.01])('takes the steps of the float64 reference, decay %d', async (weightDecay) => {
    const engine = await EngineUnderTest.create(model, optimizer);
    const next = randomNumbers(5);
    const count = model.parameterCount;
    const expected = Float64Array.from(randomValues(next, count, 1));
    let weights: Float32Array = Float32Array.from(expected);
    let state = emptyState(optimizer, count);
    const reference = newState(count);
    for (let number = 0; number < 5; number++) {
      const mean = randomValues(next, count, 1);
      const sums = Float32Array.from(mean, (value) => value * SAMPLES);
      const settings = { lr: 0.05, momentum: 0.9, weightDecay };
      const hyper = stepHyperparameters(settings, settings.lr, SAMPLES, number);
      const result = engine.update(weights, sums, state, hyper);
      ({ weights, state } = result);
      expect(result.finite).toBe(true);
      step(optimizer, reference, expected, mean, { ...settings, step: number + 1 });
    }
    const worst = largestRelativeError(weights, expected);
    expect(worst.error, `largest relative error: ${JSON.stringify(worst)}`).toBeLessThan(1e-6);
  });

  it.each([0, 17, 32])('reports a gradient that is not finite in place %d', async (place) => {
    const engine = await EngineUnderTest.create(model, optimizer);
    const count = model.parameterCount;
    const hyper = stepHyperparameters({ momentum: 0.9, weightDecay: 0 }, 0.1, 1, 0);
    for (const value of [NaN, Infinity, -Infinity]) {
      const gradient = new Float32Array(count);
      gradient[place] = value;
      const state = emptyState(optimizer, count);
      expect(engine.update(new Float32Array(count), gradient, state, hyper).finite).toBe(false);
    }
  });
});
