import { defineKernel } from '../ir/builder.js';
import {
  add,
  advance,
  div,
  float,
  int,
  intAdd,
  intMul,
  intSub,
  load,
  loadSplat,
  mul,
  sub,
  unary,
} from '../ir/expressions.js';
import type { Expr, FloatType, Kernel, Target, Variable } from '../ir/types.js';
import type { OptimizerName } from '../../optim/optimizer.js';
import { hyperparameters, stateSlots, type Hyperparameter } from '../../optim/optimizer.js';
import { forValues } from './elementwise.js';

const SCALE = hyperparameters.indexOf('scale');

/** Weights in a slice: enough for a thread to be worth waking, and a multiple of every vector. */
const SLICE = 16_384;

/** Float32 values of a slice's check. */
export const CHECK_VALUES = 16;

/** Slices that the optimizer's step over so many weights is taken in: by different threads, maybe. */
export function slicesOf(parameterCount: number): number {
  return Math.ceil(parameterCount / SLICE);
}

/**
 * update(weights, gradient, state, hyper, check, slice): one step of the optimizer over a slice of
 * `count` weights, in place. `gradient` holds sums over the batch, which hyper's `scale` turns into means; `state`
 * holds the optimizer's arrays one after the other, `count` values each. `check`, CHECK_VALUES for
 * each slice, becomes 0 if every gradient and every new weight is finite, and else has a NaN. Of the
 * `others`, weights behind those, the mean gradient is taken off, with the first slice.
 */
export function optimizerUpdate(
  name: string,
  target: Target,
  optimizer: OptimizerName,
  count: number,
  others = 0,
): Kernel {
  const params = {
    weights: 'ptr',
    gradient: 'ptr',
    state: 'ptr',
    hyper: 'ptr',
    check: 'ptr',
    slice: 'int',
  } as const;
  return defineKernel(name, params, (k, args) => {
    const first = k.let(intMul(args.slice, SLICE));
    const last = k.let(intAdd(first, SLICE));
    // One check for each type: x - x is 0 for finite x alone, and NaN stays NaN in a sum.
    const checks = { vec: k.let(float('vec', 0)), f32: k.let(float('f32', 0)) };
    const check = (type: FloatType, value: Expr<FloatType>): void => {
      const sum: Variable<FloatType> = checks[type];
      k.set(sum, add<FloatType>(sum, sub(value, value)));
    };
    forValues(
      k,
      target,
      count,
      (type, index) => {
        const hyper = (which: Hyperparameter): Expr<FloatType> => {
          const place = hyperparameters.indexOf(which);
          return type === 'vec' ? loadSplat(args.hyper, place) : load('f32', args.hyper, place);
        };
        const at = (pointer: Expr<'ptr'>, array = 0): Expr<'ptr'> =>
          k.let(advance(advance(pointer, index), array * count));
        const weights = at(args.weights);
        const w = k.let<FloatType>(load(type, weights));
        const g = k.let<FloatType>(mul(load<FloatType>(type, at(args.gradient)), hyper('scale')));
        check(type, g);
        const states = Array.from({ length: stateSlots[optimizer] }, (_, array) =>
          at(args.state, array),
        );
        const next = k.let(
          rules[optimizer]({
            w,
            g,
            hyper,
            state: states.map((pointer) => load(type, pointer)),
            bind: (value) => k.let(value),
            keep: (array, value) => {
              const kept = k.let(value);
              const pointer = states[array];
              if (pointer) k.store(pointer, 0, kept);
              return kept;
            },
          }),
        );
        check(type, next);
        k.store(weights, 0, next);
      },
      { first, last },
    );
    if (others > 0) {
      const ofFirst = k.let(intSub(others, intMul(args.slice, others)));
      forValues(
        k,
        target,
        others,
        (type, index) => {
          const weights = k.let(advance(advance(args.weights, index), count));
          const gradient = advance(advance(args.gradient, index), count);
          const scale: Expr<FloatType> =
            type === 'vec' ? loadSplat(args.hyper, SCALE) : load('f32', args.hyper, SCALE);
          const mean = mul<FloatType>(load(type, gradient), scale);
          const next = k.let<FloatType>(sub<FloatType>(load(type, weights), mean));
          check(type, next);
          k.store(weights, 0, next);
        },
        { first: int(0), last: ofFirst },
      );
    }
    const place = k.let(advance(args.check, intMul(args.slice, CHECK_VALUES)));
    k.store(place, 0, checks.f32);
    k.store(place, 1, checks.vec);
  });
}

interface Rule {
  readonly w: Expr<FloatType>;
  /** Mean gradient over the batch. */
  readonly g: Expr<FloatType>;
  readonly hyper: (which: Hyperparameter) => Expr<FloatType>;
  readonly state: readonly Expr<FloatType>[];
  /** Binds a value that is used twice. */
  readonly bind: (value: Expr<FloatType>) => Expr<FloatType>;
  /** Stores a state array's new value and returns it. */
  readonly keep: (array: number, value: Expr<FloatType>) => Expr<FloatType>;
}

/** Each rule returns the new weight. */
const rules: Record<OptimizerName, (rule: Rule) => Expr<FloatType>> = {
  /** w -= lr (g + decay w) */
  sgd: ({ w, g, hyper }) => sub(w, mul(hyper('lr'), decayed(w, g, hyper))),
  /** v = mu v + (g + decay w); w -= lr v: as PyTorch, after Sutskever et al. 2013. */
  momentum: ({ w, g, hyper, state, keep }) => {
    const velocity = add(mul(hyper('momentum'), first(state)), decayed(w, g, hyper));
    return sub(w, mul(hyper('lr'), keep(0, velocity)));
  },
  /** Kingma, Ba 2015, the decay added to the gradient. */
  adam: (rule) => adamStep({ ...rule, g: rule.bind(decayed(rule.w, rule.g, rule.hyper)) }),
  /** Loshchilov, Hutter 2019: the decay apart from the gradient. */
  adamw: (rule) => {
    const { w, hyper } = rule;
    return adamStep({ ...rule, w: sub(w, mul(mul(hyper('lr'), hyper('weightDecay')), w)) });
  },
};

function decayed(w: Rule['w'], g: Rule['g'], hyper: Rule['hyper']): Expr<FloatType> {
  return add(g, mul(hyper('weightDecay'), w));
}

/** m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= lr (m / c1) / (sqrt(v / c2) + eps) */
function adamStep({ w, g, hyper, state, keep }: Rule): Expr<FloatType> {
  const m = keep(0, add(mul(hyper('beta1'), first(state)), mul(hyper('oneMinusBeta1'), g)));
  const v = keep(
    1,
    add(mul(hyper('beta2'), state[1] ?? g), mul(hyper('oneMinusBeta2'), mul(g, g))),
  );
  const root = add(unary('sqrt', div(v, hyper('correction2'))), hyper('epsilon'));
  return sub(w, mul(hyper('lr'), div(div(m, hyper('correction1')), root)));
}

function first(state: readonly Expr<FloatType>[]): Expr<FloatType> {
  const [array] = state;
  if (!array) throw new Error('This optimizer keeps no state.');
  return array;
}
