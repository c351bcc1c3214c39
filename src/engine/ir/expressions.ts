import type { Comparison, Expr, FloatType, Type, Variable } from './types.js';

/** A whole number where an int expression is wanted. */
export type IntLike = Expr<'int'> | number;
type Arithmetic = 'add' | 'sub' | 'mul' | 'div';

export function float<T extends FloatType>(type: T, value: number): Expr<T> {
  return { op: 'float', type, value };
}

export function int(value: IntLike): Expr<'int'> {
  return typeof value === 'number' ? { op: 'int', type: 'int', value } : value;
}

function arithmetic<T extends FloatType>(op: Arithmetic, left: Expr<T>, right: Expr<T>): Expr<T> {
  return { op, type: left.type, left, right };
}

export const add = <T extends FloatType>(left: Expr<T>, right: Expr<T>): Expr<T> =>
  arithmetic('add', left, right);
export const sub = <T extends FloatType>(left: Expr<T>, right: Expr<T>): Expr<T> =>
  arithmetic('sub', left, right);
export const mul = <T extends FloatType>(left: Expr<T>, right: Expr<T>): Expr<T> =>
  arithmetic('mul', left, right);
export const div = <T extends FloatType>(left: Expr<T>, right: Expr<T>): Expr<T> =>
  arithmetic('div', left, right);

/** left `comparison` right ? then : otherwise, lane by lane. */
export function select<T extends FloatType>(
  comparison: Comparison,
  left: Expr<T>,
  right: Expr<T>,
  then: Expr<T>,
  otherwise: Expr<T>,
): Expr<T> {
  return { op: 'select', type: left.type, comparison, left, right, then, otherwise };
}

export function unary<T extends FloatType>(
  op: 'sqrt' | 'pow2' | 'exponent' | 'mantissa',
  value: Expr<T>,
): Expr<T> {
  return { op, type: value.type, value };
}

export function load<T extends FloatType>(type: T, pointer: Expr<'ptr'>, offset = 0): Expr<T> {
  return { op: 'load', type, pointer, offset };
}

export function loadSplat(pointer: Expr<'ptr'>, offset = 0): Expr<'vec'> {
  return { op: 'loadSplat', type: 'vec', pointer, offset };
}

export function splat(value: Expr<'f32'>): Expr<'vec'> {
  return { op: 'splat', type: 'vec', value };
}

export function sumLanes(parts: readonly Expr<'vec'>[]): Expr<'f32'> {
  return { op: 'sumLanes', type: 'f32', parts };
}

export function toFloat(value: Expr<'int'>): Expr<'f32'> {
  return { op: 'toFloat', type: 'f32', value };
}

type IntOperation = 'intAdd' | 'intSub' | 'intMul' | 'intDiv' | 'intRem' | 'intMin' | 'intMax';

function integer(op: IntOperation, left: IntLike, right: IntLike): Expr<'int'> {
  return { op, type: 'int', left: int(left), right: int(right) };
}

export const intAdd = (left: IntLike, right: IntLike): Expr<'int'> =>
  right === 0 ? int(left) : integer('intAdd', left, right);
export const intSub = (left: IntLike, right: IntLike): Expr<'int'> =>
  right === 0 ? int(left) : integer('intSub', left, right);
export const intMul = (left: IntLike, right: IntLike): Expr<'int'> =>
  right === 1 ? int(left) : integer('intMul', left, right);
/** Of non-negative numbers. */
export const intDiv = (left: IntLike, right: IntLike): Expr<'int'> =>
  right === 1 ? int(left) : integer('intDiv', left, right);
/** Of non-negative numbers. */
export const intRem = (left: IntLike, right: IntLike): Expr<'int'> =>
  right === 1 ? int(0) : integer('intRem', left, right);
export const intMin = (left: IntLike, right: IntLike): Expr<'int'> =>
  integer('intMin', left, right);
export const intMax = (left: IntLike, right: IntLike): Expr<'int'> =>
  integer('intMax', left, right);

type WordOperation = 'wordAdd' | 'wordMul' | 'wordMulHigh' | 'wordXor';

function word(op: WordOperation, left: IntLike, right: IntLike): Expr<'int'> {
  return { op, type: 'int', left: int(left), right: int(right) };
}

export const wordAdd = (left: IntLike, right: IntLike): Expr<'int'> => word('wordAdd', left, right);
export const wordMul = (left: IntLike, right: IntLike): Expr<'int'> => word('wordMul', left, right);
export const wordMulHigh = (left: IntLike, right: IntLike): Expr<'int'> =>
  word('wordMulHigh', left, right);
export const wordXor = (left: IntLike, right: IntLike): Expr<'int'> => word('wordXor', left, right);

export function wordUpper(value: Expr<'int'>): Expr<'int'> {
  return { op: 'wordUpper', type: 'int', value };
}

export function loadByte(pointer: Expr<'ptr'>, index: IntLike): Expr<'int'> {
  return { op: 'loadByte', type: 'int', pointer, index: int(index) };
}

export function loadInt(pointer: Expr<'ptr'>, index: IntLike): Expr<'int'> {
  return { op: 'loadInt', type: 'int', pointer, index: int(index) };
}

export function advance(pointer: Expr<'ptr'>, index: IntLike): Expr<'ptr'> {
  return index === 0 ? pointer : { op: 'advance', type: 'ptr', pointer, index: int(index) };
}

export function advanceBytes(pointer: Expr<'ptr'>, index: IntLike): Expr<'ptr'> {
  return { op: 'advanceBytes', type: 'ptr', pointer, index: int(index) };
}

export function variable<T extends Type>(type: T, id: number): Variable<T> {
  return { op: 'variable', type, id };
}
