import type { Activation } from '../../model/layers.js';
import type { KernelBuilder } from '../ir/builder.js';
import { add, div, float, mul, select, sub, unary } from '../ir/expressions.js';
import type { Expr, FloatType } from '../ir/types.js';

/** Adding and subtracting 1.5 * 2^23 rounds a float32 below 2^22 to a whole number. */
const ROUNDER = 12_582_912;
const LOG2_E = 1.442695041;
/** ln 2 in two parts: the first has few bits, so n * LN2_HIGH is exact. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;
const EXP_LOWEST = -87;
const EXP_HIGHEST = 88;
const SQRT_HALF = 0.7071067811865476;

/** Horner's rule, highest power first. */
function polynomial<T extends FloatType>(x: Expr<T>, coefficients: readonly number[]): Expr<T> {
  const [first = 0, ...rest] = coefficients;
  return rest.reduce<Expr<T>>(
    (sum, coefficient) => add(mul(sum, x), float(x.type, coefficient)),
    float(x.type, first),
  );
}

/**
 * e^x for x in [-87, 88] (clamped to it), relative error about 1e-7. exp(x) = 2^n exp(r),
 * n = round(x / ln 2), r = x - n ln 2, with the polynomial of Cephes' expf (Moshier 1989).
 */
export function exp<T extends FloatType>(k: KernelBuilder, argument: Expr<T>): Expr<T> {
  const constant = (value: number): Expr<T> => float(argument.type, value);
  const given = k.let(argument);
  const above = k.let(select('gt', given, constant(EXP_LOWEST), given, constant(EXP_LOWEST)));
  const x = k.let(select('lt', above, constant(EXP_HIGHEST), above, constant(EXP_HIGHEST)));
  const n = k.let(sub(add(mul(x, constant(LOG2_E)), constant(ROUNDER)), constant(ROUNDER)));
  const r = k.let(sub(sub(x, mul(n, constant(LN2_HIGH))), mul(n, constant(LN2_LOW))));
  const tail = polynomial(
    r,
    [
      1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
      5.0000001201e-1,
    ],
  );
  return mul(add(add(mul(mul(tail, r), r), r), constant(1)), unary('pow2', n));
}

/**
 * Natural logarithm of a positive normal number, relative error about 1e-7: x = m 2^e with m in
 * [sqrt 1/2, sqrt 2), and the polynomial of Cephes' logf (Moshier 1989) for log(m).
 */
export function log<T extends FloatType>(k: KernelBuilder, argument: Expr<T>): Expr<T> {
  const constant = (value: number): Expr<T> => float(argument.type, value);
  const given = k.let(argument);
  const half = k.let(mul(unary('mantissa', given), constant(0.5)));
  const low = (then: Expr<T>, otherwise: Expr<T>): Expr<T> =>
    select('lt', half, constant(SQRT_HALF), then, otherwise);
  const exponent = k.let(unary('exponent', given));
  const e = k.let(low(exponent, add(exponent, constant(1))));
  const x = k.let(sub(low(add(half, half), half), constant(1)));
  const squared = k.let(mul(x, x));
  const tail = polynomial(
    x,
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1,
      -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ],
  );
  const small = sub(
    add(mul(mul(x, squared), tail), mul(e, constant(LN2_LOW))),
    mul(squared, constant(0.5)),
  );
  return add(add(x, small), mul(e, constant(LN2_HIGH)));
}

function sigmoid<T extends FloatType>(k: KernelBuilder, x: Expr<T>): Expr<T> {
  const one = float(x.type, 1);
  return div(one, add(one, exp(k, sub(float(x.type, 0), x))));
}

/**
 * Hyperbolic tangent: Cephes' tanhf (Moshier 1989) has x + x^3 P(x^2) below 0.625, and
 * 1 - 2 / (exp(2|x|) + 1) with x's sign above.
 */
function tanh<T extends FloatType>(k: KernelBuilder, x: Expr<T>): Expr<T> {
  const constant = (value: number): Expr<T> => float(x.type, value);
  const magnitude = k.let(select('lt', x, constant(0), sub(constant(0), x), x));
  const squared = k.let(mul(x, x));
  const tail = polynomial(
    squared,
    [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1],
  );
  const near = k.let(add(mul(mul(tail, squared), x), x));
  const grown = exp(k, add(magnitude, magnitude));
  const far = k.let(sub(constant(1), div(constant(2), add(grown, constant(1)))));
  const signed = select('lt', x, constant(0), sub(constant(0), far), far);
  return select('lt', magnitude, constant(0.625), near, signed);
}

/** The activation of x. */
export function activate<T extends FloatType>(
  k: KernelBuilder,
  activation: Activation | undefined,
  value: Expr<T>,
): Expr<T> {
  if (activation === undefined) return value;
  const x = k.let(value);
  const constant = (number: number): Expr<T> => float(x.type, number);
  const above = (otherwise: Expr<T>): Expr<T> => select('gt', x, constant(0), x, otherwise);
  switch (activation.type) {
    case 'relu':
      return above(constant(0));
    case 'relu6':
      return select('lt', x, constant(6), above(constant(0)), constant(6));
    case 'leakyReLU':
      return above(mul(constant(activation.alpha), x));
    case 'elu':
      return above(mul(constant(activation.alpha), sub(exp(k, x), constant(1))));
    case 'sigmoid':
      return sigmoid(k, x);
    case 'tanh':
      return tanh(k, x);
  }
}

/** The gradient before an activation, from the gradient after it and the activation's value y. */
export function activationGradient<T extends FloatType>(
  activation: Activation,
  y: Expr<T>,
  gradient: Expr<T>,
): Expr<T> {
  const constant = (number: number): Expr<T> => float(y.type, number);
  const above = (otherwise: Expr<T>): Expr<T> => select('gt', y, constant(0), gradient, otherwise);
  switch (activation.type) {
    case 'relu':
      return above(constant(0));
    case 'relu6':
      return select('lt', y, constant(6), above(constant(0)), constant(0));
    case 'leakyReLU':
      return above(mul(gradient, constant(activation.alpha)));
    case 'elu':
      return above(mul(gradient, add(y, constant(activation.alpha))));
    case 'sigmoid':
      return mul(gradient, mul(y, sub(constant(1), y)));
    case 'tanh':
      return mul(gradient, sub(constant(1), mul(y, y)));
  }
}
