import type { Comparison, Expr, FloatType, Type } from '../ir/types.js';
import { type Bytes, float32, signed, unsigned } from './binary.js';

export const valueTypes: Record<Type, number> = { int: 0x7f, ptr: 0x7f, f32: 0x7d, vec: 0x7b };

const simd = (opcode: number): Bytes => [0xfd, unsigned(opcode)];
const localGet = (id: number): Bytes => [0x20, unsigned(id)];
const intConst = (value: number): Bytes => [0x41, signed(value)];
/** Alignment 1: whatever the address, the access is right. */
const memory = (offset: number): Bytes => [0, unsigned(offset)];

const INT_ADD = 0x6a;
const INT_SUB = 0x6b;
const INT_MUL = 0x6c;
const INT_SHL = 0x74;
const INT_SHR_U = 0x76;
const I64_EXTEND_U = 0xad;
const I64_MUL = 0x7e;
const I64_SHR_U = 0x88;
const I32_WRAP = 0xa7;

const arithmetic = {
  add: { f32: [0x92], vec: simd(0xe4) },
  sub: { f32: [0x93], vec: simd(0xe5) },
  mul: { f32: [0x94], vec: simd(0xe6) },
  div: { f32: [0x95], vec: simd(0xe7) },
} as const satisfies Record<string, Record<FloatType, Bytes>>;

const comparisons: Record<Comparison, Record<FloatType, Bytes>> = {
  eq: { f32: [0x5b], vec: simd(0x41) },
  lt: { f32: [0x5d], vec: simd(0x43) },
  gt: { f32: [0x5e], vec: simd(0x44) },
  ge: { f32: [0x60], vec: simd(0x46) },
};

const integers = {
  intAdd: [INT_ADD],
  intSub: [INT_SUB],
  intMul: [INT_MUL],
  intDiv: [0x6e],
  intRem: [0x70],
  wordAdd: [INT_ADD],
  wordMul: [INT_MUL],
  wordXor: [0x73],
} as const;

/** float32's exponent is biased by 127 and stands above 23 bits of fraction. */
const BIAS = 127;
const FRACTION_BITS = 23;
const FRACTION_MASK = 0x007fffff;
const ONE_BITS = 0x3f800000;

/** Leaves the expression's value on the stack. */
export function expression(node: Expr): Bytes {
  switch (node.op) {
    case 'variable':
      return localGet(node.id);
    case 'int':
      return intConst(node.value);
    case 'float':
      return node.type === 'f32'
        ? [0x43, float32(node.value)]
        : [
            simd(0x0c),
            float32(node.value),
            float32(node.value),
            float32(node.value),
            float32(node.value),
          ];
    case 'load': {
      const { address, offset } = place(node.pointer, node.offset);
      return [address, node.type === 'f32' ? [0x2a] : simd(0x00), memory(offset)];
    }
    case 'loadSplat': {
      const { address, offset } = place(node.pointer, node.offset);
      return [address, simd(0x09), memory(offset)];
    }
    case 'splat':
      return [expression(node.value), simd(0x13)];
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return [expression(node.left), expression(node.right), arithmetic[node.op][node.type]];
    case 'select':
      return [
        expression(node.then),
        expression(node.otherwise),
        expression(node.left),
        expression(node.right),
        comparisons[node.comparison][node.type],
        node.type === 'f32' ? [0x1b] : simd(0x52),
      ];
    case 'sqrt':
      return [expression(node.value), node.type === 'f32' ? [0x91] : simd(0xe3)];
    case 'pow2':
    case 'exponent':
    case 'mantissa':
      return [
        expression(node.value),
        node.type === 'f32' ? bitsScalar(node.op) : bitsVector(node.op),
      ];
    case 'sumLanes':
      return sumLanes(node.parts);
    case 'toFloat':
      return [expression(node.value), 0xb2];
    case 'intAdd':
    case 'intSub':
    case 'intMul':
    case 'intDiv':
    case 'intRem':
    case 'wordAdd':
    case 'wordMul':
    case 'wordXor':
      return [expression(node.left), expression(node.right), integers[node.op]];
    case 'wordMulHigh': {
      const wide = (side: Expr): Bytes => [expression(side), I64_EXTEND_U];
      return [wide(node.left), wide(node.right), I64_MUL, 0x42, 32, I64_SHR_U, I32_WRAP];
    }
    case 'wordUpper':
      return [expression(node.value), intConst(16), INT_SHR_U];
    case 'intMin':
    case 'intMax':
      return [
        expression(node.left),
        expression(node.right),
        expression(node.left),
        expression(node.right),
        node.op === 'intMin' ? 0x48 : 0x4a,
        0x1b,
      ];
    case 'loadByte':
      return [expression(node.pointer), expression(node.index), INT_ADD, 0x2d, memory(0)];
    case 'loadInt':
      return [expression(node.pointer), scaled(node.index), INT_ADD, 0x28, memory(0)];
    case 'advance':
      return [expression(node.pointer), scaled(node.index), INT_ADD];
    case 'advanceBytes':
      return [expression(node.pointer), expression(node.index), INT_ADD];
  }
}

/** An address on the stack and a constant offset in bytes that the access itself can add. */
export function place(pointer: Expr<'ptr'>, offset: number): { address: Bytes; offset: number } {
  return offset >= 0
    ? { address: expression(pointer), offset: offset * 4 }
    : { address: [expression(pointer), intConst(offset * 4), INT_ADD], offset: 0 };
}

/** An index of float32 values in bytes. */
function scaled(index: Expr<'int'>): Bytes {
  if (index.op === 'int') return intConst(index.value * 4);
  if (index.op === 'intMul' && index.right.op === 'int') {
    return [expression(index.left), intConst(index.right.value * 4), INT_MUL];
  }
  return [expression(index), intConst(2), INT_SHL];
}

function bitsScalar(op: 'pow2' | 'exponent' | 'mantissa'): Bytes {
  const reinterpretAsInt = 0xbc;
  const reinterpretAsFloat = 0xbe;
  const shift = intConst(FRACTION_BITS);
  switch (op) {
    case 'pow2':
      return [0xfc, 0x00, intConst(BIAS), INT_ADD, shift, INT_SHL, reinterpretAsFloat];
    case 'exponent':
      return [reinterpretAsInt, shift, INT_SHR_U, intConst(BIAS), INT_SUB, 0xb2];
    case 'mantissa':
      return [
        reinterpretAsInt,
        intConst(FRACTION_MASK),
        0x71,
        intConst(ONE_BITS),
        0x72,
        reinterpretAsFloat,
      ];
  }
}

function bitsVector(op: 'pow2' | 'exponent' | 'mantissa'): Bytes {
  const splatInt = (value: number): Bytes => [intConst(value), simd(0x11)];
  const shift = intConst(FRACTION_BITS);
  switch (op) {
    case 'pow2':
      return [simd(0xf8), splatInt(BIAS), simd(0xae), shift, simd(0xab)];
    case 'exponent':
      return [shift, simd(0xad), splatInt(BIAS), simd(0xb1), simd(0xfa)];
    case 'mantissa':
      return [splatInt(FRACTION_MASK), simd(0x4e), splatInt(ONE_BITS), simd(0x50)];
  }
}

/** Halves are added first, then lanes 2 apart, then lanes 1 apart. */
function sumLanes(parts: readonly Expr<'vec'>[]): Bytes {
  const [low, high] = parts;
  if (low?.op !== 'variable' || high?.op !== 'variable') {
    throw new Error('sumLanes takes two variables here.');
  }
  const halves: Bytes = [localGet(low.id), localGet(high.id), simd(0xe4)];
  const shuffle = (lanes: readonly number[]): Bytes => [
    simd(0x0d),
    lanes.flatMap((lane) => [lane * 4, lane * 4 + 1, lane * 4 + 2, lane * 4 + 3]),
  ];
  // The operand is needed twice and the stack cannot copy, so it is computed twice; V8 merges both.
  const pairs: Bytes = [halves, [halves, halves, shuffle([2, 3, 2, 3])], simd(0xe4)];
  return [pairs, simd(0x1f), 0, pairs, simd(0x1f), 1, 0x92];
}
