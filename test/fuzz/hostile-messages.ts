import { encodeFrame } from '../../src/protocol/frame.js';
import type { CoordinatorMessage } from '../../src/protocol/protocol.js';
import type { TinyRun } from '../e2e/support/tiny-run.js';
import type { Dice } from '../sim/dice.js';
import { nonsense, spoilt } from './mutations.js';
import { pick } from './seed.js';
import { strangeValues } from './values.js';

const NOTHING: Uint8Array = new Uint8Array();

/** Of the tiny run's one batch. */
export const MICRO_BATCHES = 2;

/** A frame that an honest coordinator would not send, or not now. */
export function hostileFrame(dice: Dice, run: TinyRun): Buffer | string {
  const what = dice.next();
  if (what < 0.1) return nonsense(dice);
  if (what < 0.13) return dice.chance(0.5) ? 'text' : JSON.stringify(run.welcome);
  if (what < 0.3) return encodeFrame(...honest(dice, run));
  if (what < 0.55) return encodeFrame(...wrongPayload(dice, run));
  if (what < 0.7) return encodeFrame(...deepInside(dice, run));
  return spoilt(dice, ...honest(dice, run));
}

/** A message as it should be; what is hostile is when it comes. */
function honest(dice: Dice, run: TinyRun): [CoordinatorMessage, Uint8Array] {
  const first = dice.whole(0, MICRO_BATCHES - 1);
  const work = { type: 'work', first, last: dice.whole(first + 1, MICRO_BATCHES) } as const;
  const steps = [0, 1, 2, 3, 2 ** 31, 2 ** 32 - 1];
  return pick<[CoordinatorMessage, Uint8Array]>(dice, [
    [run.welcome, run.module],
    [{ type: 'weights', step: pick(dice, steps) }, run.weights],
    [{ ...work, step: pick(dice, steps) }, NOTHING],
    [{ ...work, step: pick(dice, steps) }, NOTHING],
    [{ type: 'standing', spare: dice.chance(0.5) }, NOTHING],
    [{ type: 'done', outcome: pick(dice, ['complete', 'stopped', 'failed']) }, NOTHING],
    [{ type: 'refused', reason: 'nobody likes this worker' }, NOTHING],
  ]);
}

function wrongPayload(dice: Dice, run: TinyRun): [CoordinatorMessage, Uint8Array] {
  const [message, payload] = honest(dice, run);
  const length = payload.length + pick(dice, [-payload.length, -4, -1, 1, 4, 100_000]);
  const wrong = new Uint8Array(Math.max(0, length));
  wrong.set(payload.subarray(0, wrong.length));
  // Not a number: 0xff in every byte.
  if (message.type === 'weights' && dice.chance(0.5)) return [message, payload.slice().fill(0xff)];
  return [message, wrong];
}

/** A welcome, or work, in which something deep inside is not what it should be. */
function deepInside(dice: Dice, { welcome, module }: TinyRun): [object, Uint8Array] {
  const value = pick(dice, strangeValues);
  const { data, model } = welcome;
  const shard = { sha256: 'f'.repeat(64), count: dice.whole(1, 2 ** 32 - 1) };
  const layers = Array(dice.whole(0, 300)).fill({ type: 'dense', units: dice.whole(1, 2 ** 31) });
  const wrong = pick<object>(dice, [
    { model: value },
    { model: { ...(model as object), input: [value, value, value] } },
    { model: { ...(model as object), layers: [value] } },
    { model: { ...(model as object), layers } },
    { module: { ...welcome.module, sha256: value } },
    { module: { ...welcome.module, workSize: value } },
    { module: { sha256: welcome.module.sha256.replace(/./, 'x'), workSize: 1 } },
    { data: { ...data, shards: [{ sha256: value, count: value }] } },
    { data: { ...data, shards: [shard] } },
    { data: { ...data, shards: Array(dice.whole(0, 2_000)).fill(shard) } },
    { data: { ...data, table: [value] } },
    { data: { ...data, table: data.table.with(dice.whole(0, 255), NaN) } },
    { data: { ...data, table: [...data.table, 0] } },
    { validation: pick(dice, [welcome.batch, 2 ** 32 - 1, value]) },
    { batch: pick(dice, [0, 65_537, value]) },
    { optimizer: value },
    { run: value },
  ]);
  return [{ ...welcome, ...wrong }, module];
}
