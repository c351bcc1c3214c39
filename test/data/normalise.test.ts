import { expect, test } from 'vitest';
import {
  byteTable,
  MNIST_NORMALISATION,
  normalisationOf,
  normaliseFloats,
} from '../../src/data/normalise.js';

test("MNIST's bytes keep the values that they have always had", () => {
  const table = byteTable(MNIST_NORMALISATION);
  expect(table).toHaveLength(256);
  for (const [byte, value] of table.entries()) {
    expect(value).toBe(Math.fround((byte / 255 - 0.1307) / 0.3081));
  }
});

test('the mean and deviation of bytes are those of each channel, exactly', async () => {
  const samples = Uint8Array.of(0, 10, 255, 10, 0, 10, 255, 10);
  const { scale, mean, deviation } = await normalisationOf('standard', () => [samples], 'uint8', 2);
  expect(scale).toBe(255);
  expect(mean).toEqual([0.5, 10 / 255]);
  expect(deviation).toEqual([0.5, 1]);
});

test('bytes of many channels, which are features, share one normalisation', async () => {
  const samples = Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255, 0, 255);
  const { mean, deviation } = await normalisationOf('standard', () => [samples], 'uint8', 5);
  expect([mean, deviation]).toEqual([[0.5], [0.5]]);
});

test('float32 values end up with mean 0 and deviation 1, and constant ones as 0', async () => {
  const values = Float32Array.of(1, 7, 3, 7, 5, 7, 7, 7);
  const bytes = new Uint8Array(values.buffer);
  const normalisation = await normalisationOf('standard', () => [bytes], 'float32', 2);
  expect(normalisation).toEqual({ scale: 1, mean: [4, 7], deviation: [Math.sqrt(5), 1] });
  normaliseFloats(values, normalisation);
  expect([...values].filter((_, index) => index % 2 === 1)).toEqual([0, 0, 0, 0]);
  expect(values[0]).toBe(Math.fround(-3 / Math.sqrt(5)));
});

test('unit brings values to 0 to 1, and none leaves them as they are', async () => {
  const values = Float32Array.of(-2, 0, 2, 6);
  const bytes = new Uint8Array(values.slice().buffer);
  normaliseFloats(values, await normalisationOf('unit', () => [bytes], 'float32', 1));
  expect([...values]).toEqual([0, 0.25, 0.5, 1]);
  const same = Float32Array.of(3, -4);
  normaliseFloats(same, await normalisationOf('none', () => [bytes], 'float32', 1));
  expect([...same]).toEqual([3, -4]);
  const table = async (how: 'unit' | 'none') =>
    byteTable(await normalisationOf(how, () => [bytes], 'uint8', 1));
  expect([(await table('unit'))[255], (await table('none'))[255]]).toEqual([1, 255]);
});
