import type { Comparison, Expr, Type } from '../ir/types.js';

export const types: Record<Type, string> = {
  vec: 'vec',
  f32: 'float',
  int: 'int32_t',
  ptr: 'char *',
};

const comparisons: Record<Comparison, string> = { gt: '>', ge: '>=', lt: '<', eq: '==' };

const operators = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  intAdd: '+',
  intSub: '-',
  intMul: '*',
  intDiv: '/',
  intRem: '%',
  wordAdd: '+',
  wordMul: '*',
  wordXor: '^',
} as const;

/** An address with a constant offset in float32 values. */
export function place(pointer: Expr<'ptr'>, offset: number): string {
  return offset === 0 ? expression(pointer) : `(${expression(pointer)} + ${offset * 4})`;
}

export function expression(node: Expr): string {
  switch (node.op) {
    case 'variable':
      return `v${node.id}`;
    case 'int':
      return `(${node.value})`;
    case 'float':
      return node.type === 'f32' ? literal(node.value) : `splat(${literal(node.value)})`;
    case 'load':
      return `${node.type === 'vec' ? 'LOAD' : 'LOAD_F'}(${place(node.pointer, node.offset)})`;
    case 'loadSplat':
      return `splat(LOAD_F(${place(node.pointer, node.offset)}))`;
    case 'splat':
      return `splat(${expression(node.value)})`;
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'intAdd':
    case 'intSub':
    case 'intMul':
    case 'intDiv':
    case 'intRem':
      return `(${expression(node.left)} ${operators[node.op]} ${expression(node.right)})`;
    case 'select': {
      const condition = `${expression(node.left)} ${comparisons[node.comparison]} ${expression(node.right)}`;
      const [then, otherwise] = [expression(node.then), expression(node.otherwise)];
      return node.type === 'vec'
        ? `SELECT(${condition}, ${then}, ${otherwise})`
        : `(${condition} ? ${then} : ${otherwise})`;
    }
    case 'sqrt':
      return node.type === 'vec'
        ? `root(${expression(node.value)})`
        : `__builtin_sqrtf(${expression(node.value)})`;
    case 'pow2':
      return node.type === 'vec'
        ? `((vec)((__builtin_convertvector(${expression(node.value)}, ivec) + 127) << 23))`
        : `float_of(((int32_t)${expression(node.value)} + 127) << 23)`;
    case 'exponent':
      return node.type === 'vec'
        ? `__builtin_convertvector((bits(${expression(node.value)}) >> 23) - 127, vec)`
        : `((float)((bits_f(${expression(node.value)}) >> 23) - 127))`;
    case 'mantissa':
      return node.type === 'vec'
        ? `((vec)((bits(${expression(node.value)}) & 0x007fffff) | 0x3f800000))`
        : `float_of((bits_f(${expression(node.value)}) & 0x007fffff) | 0x3f800000)`;
    case 'sumLanes':
      return `sum_lanes(${node.parts.map(expression).join(', ')})`;
    case 'toFloat':
      return `((float)${expression(node.value)})`;
    case 'wordAdd':
    case 'wordMul':
    case 'wordXor':
      return `((int32_t)((uint32_t)${expression(node.left)} ${operators[node.op]} (uint32_t)${expression(node.right)}))`;
    case 'wordMulHigh':
      return `((int32_t)(((uint64_t)(uint32_t)${expression(node.left)} * (uint32_t)${expression(node.right)}) >> 32))`;
    case 'wordUpper':
      return `((int32_t)((uint32_t)${expression(node.value)} >> 16))`;
    case 'intMin':
      return `smaller(${expression(node.left)}, ${expression(node.right)})`;
    case 'intMax':
      return `larger(${expression(node.left)}, ${expression(node.right)})`;
    case 'loadByte':
      return `((int32_t)*(const uint8_t *)(${expression(node.pointer)} + ${expression(node.index)}))`;
    case 'loadInt':
      return `(*(const any_int *)(${expression(node.pointer)} + (intptr_t)${expression(node.index)} * 4))`;
    case 'advance':
      return `(${expression(node.pointer)} + (intptr_t)${expression(node.index)} * 4)`;
    case 'advanceBytes':
      return `(${expression(node.pointer)} + ${expression(node.index)})`;
  }
}

/** The shortest decimal of a float32 value reads back as the same float32. */
function literal(value: number): string {
  if (value === Infinity) return '__builtin_inff()';
  if (value === -Infinity) return '(-__builtin_inff())';
  const text = Object.is(value, -0) ? '-0' : String(Math.fround(value));
  return `(${/[.e]/.test(text) ? text : `${text}.0`}f)`;
}
