import { sizeOf, type Model } from '../../model/model.js';
import { defineKernel } from '../ir/builder.js';
import { add, load, mul } from '../ir/expressions.js';
import type { Kernel, Variable } from '../ir/types.js';
import type { Program } from '../program.js';

/** One of the kernels that `gradients` is made of, callable on its own with the same arguments. */
export interface Part {
  /** `conv2d`, `conv2d_dw`: the layer, and of what it is the gradient. */
  readonly name: string;
  readonly kernel: Kernel;
}

/** The kernels that `gradients` calls, in its order. */
export function partsOf({ kernels }: Program): Part[] {
  const gradients = kernels.find(({ name }) => name === 'gradients');
  if (!gradients) throw new Error('The program has no gradients.');
  return gradients.body.flatMap((statement, index) => {
    if (statement.op !== 'call') return [];
    const { name } = statement.kernel;
    return [{ name, kernel: { ...gradients, name: `part${index}`, body: [statement] } }];
  });
}

/**
 * Floating-point operations of a kernel for one sample: a multiplication and an addition for each
 * weight at each place, forward and for each gradient; 0 for kernels without weights.
 */
export function flopsOf(model: Model, name: string): number {
  const placed = model.layers.find(
    (layer) =>
      layer.kernel !== undefined &&
      [layer.name, `${layer.name}_dw`, `${layer.name}_dx`].includes(name),
  );
  if (!placed) return 0;
  const places = placed.output.length === 3 ? placed.output[0] * placed.output[1] : 1;
  return 2 * sizeOf(placed.kernel?.shape ?? []) * places;
}

/** Chains that neither wait for each other nor need more registers than there are. */
const CHAINS = 12;
const ROUNDS = 10_000;

/** Operations of one call of `peakKernel`, for each lane of a vector. */
export const PEAK_FLOPS_PER_LANE = 2 * CHAINS * ROUNDS;

/**
 * peak(values): the most multiplications and additions, each rounded on its own, that a core does.
 * `values` are 3 vectors: one, zero, and room for the result.
 */
export function peakKernel(width: number): Kernel {
  return defineKernel('peak', { values: 'ptr' }, (k, { values }) => {
    const one = k.let(load('vec', values));
    const zero = k.let(load('vec', values, width));
    const chains = Array.from({ length: CHAINS }, (): Variable<'vec'> => k.let(add(one, zero)));
    k.loop(0, ROUNDS, () => {
      for (const chain of chains) k.set(chain, add(mul(chain, one), zero));
    });
    const sum = chains.slice(1).reduce((left, right) => k.let(add(left, right)), chains[0] ?? one);
    k.store(values, 2 * width, sum);
  });
}
