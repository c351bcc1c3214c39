import { philoxConstants, streams } from '../../random/philox.js';
import { DRAW_WORDS } from '../chance.js';
import { dropoutOdds, VALUES_OF_DRAW } from '../dropout-factors.js';
import { type KernelBuilder, defineKernel } from '../ir/builder.js';
import {
  advance,
  float,
  int,
  intAdd,
  loadInt,
  select,
  toFloat,
  wordAdd,
  wordMul,
  wordMulHigh,
  wordUpper,
  wordXor,
} from '../ir/expressions.js';
import type { Expr, Kernel, Variable } from '../ir/types.js';
import type { Planes } from './planes.js';
import { range } from './tiles.js';

type Words = readonly [Variable<'int'>, Variable<'int'>];

/**
 * mask(draws, mask): for each value 0 with probability `rate`, rounded to 1/65536, and the inverse
 * of the rest of the probability otherwise. `planes` has no border; `mask` has room for a multiple
 * of VALUES_OF_DRAW values. Words [4i, 4i + 4) of a sample are Philox' for the counter
 * [i, place in the batch, draw, step] and the key [seed, streams.dropout].
 */
export function dropoutMask(
  name: string,
  planes: Planes,
  { rate, draw }: { rate: number; draw: number },
): Kernel {
  const { lanes, size } = planes;
  const odds = dropoutOdds(rate);
  const dropped = float('f32', odds.dropped);
  const kept = float('f32', odds.kept);
  return defineKernel(name, { draws: 'ptr', mask: 'ptr' }, (k, args) => {
    const keys = roundKeys(k, loadInt(args.draws, DRAW_WORDS.seed));
    const step = k.let(loadInt(args.draws, DRAW_WORDS.step));
    const first = k.let(loadInt(args.draws, DRAW_WORDS.first));
    k.loop(0, lanes, (lane) => {
      const place = k.let(intAdd(first, lane));
      const out = k.let(advance(args.mask, lane));
      k.loop(0, Math.ceil(size / lanes / VALUES_OF_DRAW), (index) => {
        philox(k, [index, place, int(draw), step], keys).forEach((word, at) => {
          const lower = wordUpper(wordMul(word, 2 ** 16));
          [wordUpper(word), lower].forEach((bits, half) => {
            const value = select('lt', toFloat(bits), dropped, float('f32', 0), kept);
            k.store(out, (2 * at + half) * lanes, value);
          });
        });
        k.move(out, VALUES_OF_DRAW * lanes);
      });
    });
  });
}

/** The two keys of each round. */
function roundKeys(k: KernelBuilder, seed: Expr<'int'>): Words[] {
  const { weyl, rounds } = philoxConstants;
  const first = k.let(seed);
  return range(rounds).map((round) => [
    k.let(wordAdd(first, Math.imul(round, weyl[0]))),
    k.let(int((streams.dropout + Math.imul(round, weyl[1])) | 0)),
  ]);
}

/** Philox4x32-10, as src/random has it. */
function philox(
  k: KernelBuilder,
  counter: readonly [Expr<'int'>, Expr<'int'>, Expr<'int'>, Expr<'int'>],
  keys: readonly Words[],
): Variable<'int'>[] {
  const [multiplier0, multiplier1] = philoxConstants.multipliers.map((word) => word | 0) as [
    number,
    number,
  ];
  let [c0, c1, c2, c3] = counter;
  for (const [k0, k1] of keys) {
    const next0 = k.let(wordXor(wordXor(wordMulHigh(c2, multiplier1), c1), k0));
    const next1 = k.let(wordMul(c2, multiplier1));
    const next2 = k.let(wordXor(wordXor(wordMulHigh(c0, multiplier0), c3), k1));
    const next3 = k.let(wordMul(c0, multiplier0));
    [c0, c1, c2, c3] = [next0, next1, next2, next3];
  }
  return [c0, c1, c2, c3].map((word) => k.let(word));
}
