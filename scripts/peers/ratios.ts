import { spreadOf } from '../../dist/bench/statistics.js';
import type { Contestant } from './contestant.js';
import { showSpread } from '../spread.js';

type Rates = ReadonlyMap<Contestant, readonly number[]>;
type Choice = Pick<Contestant, 'name' | 'cores'> & { readonly batch?: number };

const native: Choice = { name: 'dtrain native', cores: 1 };
const wasm: Choice = { name: 'dtrain wasm', cores: 1 };
const tensorflow: Choice = { name: 'TensorFlow tf.function', cores: 1 };

/** What is compared with what. Where batch sizes are left open, the fastest counts. */
const comparisons: readonly (readonly [string, Choice, Choice])[] = [
  ['native / tf.function, 1 core', native, tensorflow],
  ['native AVX2 / tf.function, 1 core', { name: 'dtrain native AVX2', cores: 1 }, tensorflow],
  ['native / PyTorch eager at its best batch, 1 core', native, { name: 'PyTorch eager', cores: 1 }],
  [
    'native / PyTorch eager as it comes, at its best batch, 1 core',
    native,
    { name: 'PyTorch eager, as it comes', cores: 1 },
  ],
  ['wasm / PyTorch eager batch 64, 1 core', wasm, { name: 'PyTorch eager', cores: 1, batch: 64 }],
  ['wasm / tfjs-node eager, 1 core', wasm, { name: 'tfjs-node eager', cores: 1 }],
  [
    'native / PyTorch DDP, 2 cores',
    { name: 'dtrain native', cores: 2 },
    { name: 'PyTorch DDP, 2 ranks', cores: 2 },
  ],
  [
    'native / tf.function, 2 cores',
    { name: 'dtrain native', cores: 2 },
    { name: 'TensorFlow tf.function', cores: 2 },
  ],
];

/** Each comparison with its ratios, taken within rounds; those that can be made. */
export function ratios(all: readonly Contestant[], rates: Rates): string[][] {
  return comparisons.flatMap(([title, one, other]) => {
    const above = fastest(all, rates, one);
    const below = fastest(all, rates, other);
    const perRound = above
      .slice(0, below.length)
      .map((rate, round) => rate / (below[round] ?? NaN));
    return perRound.length === 0 ? [] : [[title, showSpread(perRound, 2)]];
  });
}

function fastest(all: readonly Contestant[], rates: Rates, choice: Choice): readonly number[] {
  const chosen = all.filter(
    ({ name, cores, batch }) =>
      name === choice.name && cores === choice.cores && batch === (choice.batch ?? batch),
  );
  const median = (contestant: Contestant): number => spreadOf(rates.get(contestant) ?? [0]).median;
  const [best] = chosen.toSorted((a, b) => median(b) - median(a));
  return (best && rates.get(best)) ?? [];
}
