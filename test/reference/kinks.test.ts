import { describe, expect, test } from 'vitest';
import type { Layer } from '../../src/model/layers.js';
import { buildModel, type Model } from '../../src/model/model.js';
import { kinkMargin, sides } from './kinks.js';
import { trace } from './reference.js';

function model(layer: Layer): Model {
  return buildModel({
    name: 'one layer',
    input: [1, 4, 1],
    layers: [layer, { type: 'flatten' }, { type: 'dense', units: 2 }],
  });
}

const relu = model({ type: 'relu' });
const pool = model({ type: 'maxPool2d', size: [1, 2], strides: [1, 2], padding: 'valid' });

function weights(of: Model): Float64Array {
  return new Float64Array(of.parameterCount);
}

function sidesOf(of: Model, image: number[]): string {
  return sides(trace(of, weights(of), Float64Array.from(image)).steps);
}

describe('kinkMargin', () => {
  test('is the distance of a relu input from 0, relative to the largest', () => {
    expect(kinkMargin(relu, weights(relu), Float64Array.of(-8, 1, -2, 4))).toBe(0.125);
  });

  test('is the distance of a maximum from the others', () => {
    expect(kinkMargin(pool, weights(pool), Float64Array.of(-8, 1, 3, 4))).toBe(0.125);
  });

  test('ignores exact ties', () => {
    expect(kinkMargin(pool, weights(pool), Float64Array.of(4, 4, 0, 0))).toBe(Infinity);
    expect(kinkMargin(relu, weights(relu), Float64Array.of(0, 0, 0, 2))).toBe(1);
  });
});

describe('sides', () => {
  test('change where a kink is crossed', () => {
    const before = sidesOf(relu, [-8, 1, -2, 4]);
    expect(sidesOf(relu, [-9, 2, -1, 3])).toBe(before);
    expect(sidesOf(relu, [-8, -1, -2, 4])).not.toBe(before);
  });

  test('change where another cell is the maximum', () => {
    const before = sidesOf(pool, [-8, 1, 3, 4]);
    expect(sidesOf(pool, [-7, 2, 2, 5])).toBe(before);
    expect(sidesOf(pool, [-8, 1, 4, 3])).not.toBe(before);
  });
});
