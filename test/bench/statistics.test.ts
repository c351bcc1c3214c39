import { expect, test } from 'vitest';
import { middleOf, spreadOf } from '../../bench/statistics.js';

test('the median is in the middle, or between the two in the middle', () => {
  expect(spreadOf([30, 10, 20])).toEqual({ median: 20, least: 10, most: 30 });
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, least: 1, most: 4 });
  expect(spreadOf([7])).toEqual({ median: 7, least: 7, most: 7 });
  // As numbers, not as texts.
  expect(spreadOf([9, 10, 100]).median).toBe(10);
});

test('what stands in the middle is one of the things', () => {
  const things = [{ rate: 3 }, { rate: 1 }, { rate: 2 }, { rate: 4 }];
  expect(middleOf(things, ({ rate }) => rate)).toBe(things[2]);
  expect(middleOf(things.slice(0, 3), ({ rate }) => rate)).toBe(things[2]);
  const none: { rate: number }[] = [];
  expect(middleOf(none, ({ rate }) => rate)).toBeUndefined();
});
