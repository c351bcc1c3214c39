import { advance, int, type IntLike, variable } from './expressions.js';
import type { Expr, FloatType, Kernel, Statement, Type, Variable } from './types.js';

/** Writes the body of one kernel, statement by statement. */
export class KernelBuilder {
  readonly #params: ('ptr' | 'int')[];
  readonly #locals: Type[] = [];
  #body: Statement[] = [];

  constructor(params: ('ptr' | 'int')[]) {
    this.#params = params;
  }

  /** A new variable that holds the value. An expression used twice must be bound like this. */
  let<T extends Type>(value: Expr<T>): Variable<T> {
    const bound = this.#local<T>(value.type);
    this.set(bound, value);
    return bound;
  }

  set<T extends Type>(target: Variable<T>, value: Expr<T>): void {
    this.#body.push({ op: 'set', variable: target, value });
  }

  /** Moves a pointer variable on by so many float32 values. */
  move(pointer: Variable<'ptr'>, count: IntLike): void {
    this.set(pointer, advance(pointer, count));
  }

  store(pointer: Expr<'ptr'>, offset: number, value: Expr<FloatType>): void {
    this.#body.push({ op: 'store', pointer, offset, value });
  }

  /** for (i = from; i < to; i += step) body(i) */
  loop(from: IntLike, to: IntLike, body: (i: Expr<'int'>) => void, step = 1): void {
    const counter = this.#local('int');
    const outer = this.#body;
    this.#body = [];
    body(counter);
    const inner = this.#body;
    this.#body = outer;
    this.#body.push({
      op: 'loop',
      variable: counter,
      from: int(from),
      to: int(to),
      step,
      body: inner,
    });
  }

  call(kernel: Kernel, ...args: Expr<'ptr' | 'int'>[]): void {
    this.#body.push({ op: 'call', kernel, args });
  }

  build(name: string): Kernel {
    return { name, params: this.#params, locals: this.#locals, body: this.#body };
  }

  #local<T extends Type>(type: T): Variable<T> {
    this.#locals.push(type);
    return variable(type, this.#params.length + this.#locals.length - 1);
  }
}

/**
 * One kernel: `write` gets the builder and the parameters, named as in `params`.
 */
export function defineKernel<P extends Record<string, 'ptr' | 'int'>>(
  name: string,
  params: P,
  write: (k: KernelBuilder, args: { readonly [N in keyof P]: Expr<P[N]> }) => void,
): Kernel {
  const builder = new KernelBuilder(Object.values(params));
  const entries = Object.entries(params).map(([key, type], id) => [key, variable(type, id)]);
  write(builder, Object.fromEntries(entries) as { readonly [N in keyof P]: Expr<P[N]> });
  return builder.build(name);
}
