import { describe, expect, test } from 'vitest';
import { Recent } from '../../coordinator/recent.js';

function typicalOf(...values: readonly number[]): number | undefined {
  const recent = new Recent();
  for (const value of values) recent.add(value);
  return recent.typical;
}

describe('what is typical of late', () => {
  test('is unknown without a measurement', () => {
    expect(typicalOf()).toBeUndefined();
  });

  test('is the median, and the lower one of two', () => {
    expect(typicalOf(7)).toBe(7);
    expect(typicalOf(7, 3)).toBe(3);
    expect(typicalOf(7, 3, 5)).toBe(5);
    expect(typicalOf(10, 9, 100, 11)).toBe(10);
  });

  test('is not moved by single measurements that are far off', () => {
    expect(typicalOf(5, 1e9, 5, -1e9, 5)).toBe(5);
  });

  test('forgets all but the last five', () => {
    expect(typicalOf(1, 1, 1, 1, 1, 9, 9)).toBe(1);
    expect(typicalOf(1, 1, 1, 1, 1, 9, 9, 9)).toBe(9);
  });

  test('is unknown again after it was cleared', () => {
    const recent = new Recent();
    recent.add(1);
    recent.clear();
    expect(recent.typical).toBeUndefined();
    recent.add(2);
    expect(recent.typical).toBe(2);
  });
});
