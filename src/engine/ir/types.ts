/**
 * The kernel language: loops over float32 vectors, written once in TypeScript and printed by an
 * emitter for each target. It knows no WebAssembly and no C.
 *
 * `vec` is a vector of the target's width, `f32` one float32, `int` a 32-bit integer, `ptr` the
 * address of float32 values. Every float operation rounds to float32 once (IEEE 754, to nearest,
 * ties to even); an emitter must neither fuse nor reorder them.
 */
export type Type = 'vec' | 'f32' | 'int' | 'ptr';
export type FloatType = 'vec' | 'f32';

export type Comparison = 'gt' | 'ge' | 'lt' | 'eq';

type Node =
  | { readonly op: 'variable'; readonly type: Type; readonly id: number }
  | { readonly op: 'float'; readonly type: FloatType; readonly value: number }
  | { readonly op: 'int'; readonly type: 'int'; readonly value: number }
  /** float32 value(s) at pointer + offset; offset in float32 values. */
  | {
      readonly op: 'load';
      readonly type: FloatType;
      readonly pointer: Expr<'ptr'>;
      readonly offset: number;
    }
  /** One float32 value in every lane. */
  | {
      readonly op: 'loadSplat';
      readonly type: 'vec';
      readonly pointer: Expr<'ptr'>;
      readonly offset: number;
    }
  | { readonly op: 'splat'; readonly type: 'vec'; readonly value: Expr<'f32'> }
  | {
      readonly op: 'add' | 'sub' | 'mul' | 'div';
      readonly type: FloatType;
      readonly left: Expr<FloatType>;
      readonly right: Expr<FloatType>;
    }
  /** Lane by lane: left `comparison` right ? then : otherwise. */
  | {
      readonly op: 'select';
      readonly type: FloatType;
      readonly comparison: Comparison;
      readonly left: Expr<FloatType>;
      readonly right: Expr<FloatType>;
      readonly then: Expr<FloatType>;
      readonly otherwise: Expr<FloatType>;
    }
  /**
   * `sqrt`: correctly rounded square root. `pow2`: 2 to the power of a whole number in
   * [-126, 127]. `exponent` and `mantissa`: of a positive normal number, x = mantissa *
   * 2^exponent with mantissa in [1, 2).
   */
  | {
      readonly op: 'sqrt' | 'pow2' | 'exponent' | 'mantissa';
      readonly type: FloatType;
      readonly value: Expr<FloatType>;
    }
  /**
   * The sum over the 8 lanes s0..s7 of a micro-batch, held in `parts` vectors of equal width:
   * ((s0+s4) + (s2+s6)) + ((s1+s5) + (s3+s7)).
   */
  | { readonly op: 'sumLanes'; readonly type: 'f32'; readonly parts: readonly Expr<'vec'>[] }
  | { readonly op: 'toFloat'; readonly type: 'f32'; readonly value: Expr<'int'> }
  | {
      readonly op: 'intAdd' | 'intSub' | 'intMul' | 'intDiv' | 'intRem' | 'intMin' | 'intMax';
      readonly type: 'int';
      readonly left: Expr<'int'>;
      readonly right: Expr<'int'>;
    }
  /** Of unsigned 32-bit words: the low or the high half of a product, the low half of a sum. */
  | {
      readonly op: 'wordAdd' | 'wordMul' | 'wordMulHigh' | 'wordXor';
      readonly type: 'int';
      readonly left: Expr<'int'>;
      readonly right: Expr<'int'>;
    }
  /** The upper 16 bits of a word. */
  | { readonly op: 'wordUpper'; readonly type: 'int'; readonly value: Expr<'int'> }
  /** The byte, or the 32-bit integer, in place `index` of an array that starts at pointer. */
  | {
      readonly op: 'loadByte' | 'loadInt';
      readonly type: 'int';
      readonly pointer: Expr<'ptr'>;
      readonly index: Expr<'int'>;
    }
  /** pointer + index, in float32 values (`advance`) or in bytes (`advanceBytes`). */
  | {
      readonly op: 'advance' | 'advanceBytes';
      readonly type: 'ptr';
      readonly pointer: Expr<'ptr'>;
      readonly index: Expr<'int'>;
    };

export type Expr<T extends Type = Type> = Node & { readonly type: T };
export type Variable<T extends Type = Type> = Expr<T> & { readonly op: 'variable' };

export type Statement =
  | { readonly op: 'set'; readonly variable: Variable; readonly value: Expr }
  | {
      readonly op: 'store';
      readonly pointer: Expr<'ptr'>;
      readonly offset: number;
      readonly value: Expr<FloatType>;
    }
  /** for (variable = from; variable < to; variable += step) body */
  | {
      readonly op: 'loop';
      readonly variable: Variable<'int'>;
      readonly from: Expr<'int'>;
      readonly to: Expr<'int'>;
      readonly step: number;
      readonly body: readonly Statement[];
    }
  | { readonly op: 'call'; readonly kernel: Kernel; readonly args: readonly Expr<'ptr' | 'int'>[] };

/** A function of pointers and integers that returns nothing. */
export interface Kernel {
  readonly name: string;
  /** Variables 0 to params.length - 1. */
  readonly params: readonly ('ptr' | 'int')[];
  /** The variables after the parameters. */
  readonly locals: readonly Type[];
  readonly body: readonly Statement[];
}

/** Where a kernel runs: how many float32 values a vector holds. */
export interface Target {
  readonly width: 4 | 8 | 16;
  /** Samples side by side: one micro-batch, or two that are neighbours in the tree. */
  readonly lanes: 8 | 16;
  readonly tiles: TileSizes;
}

/**
 * How many sums each kernel keeps in registers through its innermost loop (tiles.ts). They change
 * no order of summation, so no bit of any result.
 */
export interface TileSizes {
  /** Filters, and neighbouring outputs of a row, at a time. */
  readonly convolution: { readonly filters: number; readonly columns: number };
  readonly pooledConvolution: { readonly filters: number; readonly columns: number };
  /** Kernel columns at a time, and sums in all: a narrow kernel leaves room for more filters. */
  readonly convolutionWeights: { readonly columns: number; readonly sums: number };
  /** Input channels, and neighbouring inputs of a row, at a time. */
  readonly convolutionInput: { readonly channels: number; readonly columns: number };
  /** Outputs at a time. */
  readonly dense: number;
  /** Vectors of outputs at a time, and sums in all. */
  readonly denseWeights: { readonly vectors: number; readonly sums: number };
  /** Inputs at a time. */
  readonly denseInput: number;
}

/** Samples in a micro-batch: the unit of work, and part of the determinism contract. */
export const LANES = 8;
