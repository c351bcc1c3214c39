import { expect } from 'vitest';
import { Place } from './place.js';
import type { JsonEvent } from './running.js';

const results = new Map<string, Promise<JsonEvent>>();

/** The result of `dtrain train` alone with these flags; each set of flags is trained once. */
export function control(flags: readonly string[]): Promise<JsonEvent> {
  const key = flags.join(' ');
  const result = results.get(key) ?? train(flags);
  results.set(key, result);
  return result;
}

/** The run ended as if nothing had happened to it. */
export async function expectAsIfUndisturbed(
  result: JsonEvent,
  flags: readonly string[],
): Promise<void> {
  const { outcome, steps, samples, weightsSha256, testAccuracy, testLoss } = await control(flags);
  const same = { outcome, steps, samples, weightsSha256, testAccuracy, testLoss };
  expect(result).toMatchObject(same);
}

async function train(flags: readonly string[]): Promise<JsonEvent> {
  const place = await Place.create('control');
  try {
    return await place.result(['train', '--threads', '1', ...flags]);
  } finally {
    await place.close();
  }
}
