import type { Kernel, Statement, Target } from '../ir/types.js';
import { calledKernels } from '../ir/walk.js';
import { expression, place, types } from './expression.js';

/**
 * Prints kernels as one C file for GCC and Clang (vector extensions). It exports each of
 * `exported` under its name; pointers are places in the memory that is the first argument. The file
 * must be compiled without contraction of floating-point operations (-ffp-contract=off).
 */
export function emitC(exported: readonly Kernel[], target: Target): string {
  const kernels = calledKernels(exported);
  const names = new Map(
    kernels.map((kernel, index) => [kernel, `k${index}_${kernel.name.replace(/\W/g, '_')}`]),
  );
  return [
    prelude(target),
    ...kernels.map((kernel) => `${signature(kernel, names)};`),
    ...kernels.map((kernel) => definition(kernel, names)),
    ...exported.map((kernel) => entry(kernel, names)),
  ].join('\n');
}

type Names = ReadonlyMap<Kernel, string>;

function prelude({ width }: Target): string {
  const bytes = 4 * width;
  return `#include <stdint.h>
#include <string.h>

typedef float vec __attribute__((vector_size(${bytes})));
typedef int32_t ivec __attribute__((vector_size(${bytes})));
typedef vec unaligned_vec __attribute__((aligned(4), may_alias));
typedef float any_float __attribute__((may_alias));
typedef int32_t any_int __attribute__((may_alias));

#define LOAD(p) (*(const unaligned_vec *)(p))
#define STORE(p, v) (*(unaligned_vec *)(p) = (v))
#define LOAD_F(p) (*(const any_float *)(p))
#define STORE_F(p, v) (*(any_float *)(p) = (v))
#define SELECT(m, a, b) ((vec)(((ivec)(m) & (ivec)(a)) | (~(ivec)(m) & (ivec)(b))))

static inline vec splat(float x) { return (vec){${Array.from({ length: width }, () => 'x').join(', ')}}; }
static inline ivec bits(vec v) { return (ivec)v; }
static inline int32_t bits_f(float x) { int32_t b; memcpy(&b, &x, 4); return b; }
static inline float float_of(int32_t b) { float x; memcpy(&x, &b, 4); return x; }
static inline vec root(vec v) { for (int i = 0; i < ${width}; i++) v[i] = __builtin_sqrtf(v[i]); return v; }
static inline int32_t smaller(int32_t a, int32_t b) { return a < b ? a : b; }
static inline int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }
${sumOfLanes(width)}
`;
}

/** As `sumLanes` adds them; of two micro-batches, each on its own and then both. */
function sumOfLanes(width: number): string {
  if (width === 4) {
    return `static inline float sum_lanes(vec low, vec high) { vec s = low + high; return (s[0] + s[2]) + (s[1] + s[3]); }`;
  }
  const eight = (from: number): string => {
    const s = (lane: number): string => `s[${from + lane}]`;
    return `(((${s(0)} + ${s(4)}) + (${s(2)} + ${s(6)})) + ((${s(1)} + ${s(5)}) + (${s(3)} + ${s(7)})))`;
  };
  const sum = width === 16 ? `${eight(0)} + ${eight(8)}` : eight(0);
  return `static inline float sum_lanes(vec s) { return ${sum}; }`;
}

function signature(kernel: Kernel, names: Names): string {
  const params = kernel.params.map((type, id) => `${types[type]} v${id}`).join(', ');
  return `static __attribute__((noinline)) void ${names.get(kernel) ?? ''}(${params})`;
}

function definition(kernel: Kernel, names: Names): string {
  const first = kernel.params.length;
  const locals = kernel.locals.map((type, index) => `${types[type]} v${first + index};`);
  const body = kernel.body.flatMap((statement) => code(statement, names));
  return [`${signature(kernel, names)} {`, locals.join(' '), ...body, '}'].join('\n');
}

/** What is called from outside: places become pointers. */
function entry(kernel: Kernel, names: Names): string {
  const type: Record<'ptr' | 'int', string> = { ptr: 'uint32_t', int: 'int32_t' };
  const params = kernel.params.map((kind, id) => `, ${type[kind]} v${id}`).join('');
  const args = kernel.params.map((kind, id) => (kind === 'ptr' ? `memory + v${id}` : `v${id}`));
  return `__attribute__((visibility("default"))) void ${kernel.name}(char *memory${params}) { ${names.get(kernel) ?? ''}(${args.join(', ')}); }`;
}

function code(statement: Statement, names: Names): string[] {
  switch (statement.op) {
    case 'set':
      return [`v${statement.variable.id} = ${expression(statement.value)};`];
    case 'store': {
      const store = statement.value.type === 'vec' ? 'STORE' : 'STORE_F';
      return [
        `${store}(${place(statement.pointer, statement.offset)}, ${expression(statement.value)});`,
      ];
    }
    case 'call': {
      const args = statement.args.map((arg) => expression(arg)).join(', ');
      return [`${names.get(statement.kernel) ?? ''}(${args});`];
    }
    case 'loop': {
      const counter = `v${statement.variable.id}`;
      const { from, to, step, body } = statement;
      return [
        `for (${counter} = ${expression(from)}; ${counter} < ${expression(to)}; ${counter} += ${step}) {`,
        ...body.flatMap((inner) => code(inner, names)),
        '}',
      ];
    }
  }
}
