import type { Model } from '../../model/model.js';
import { type KernelBuilder, defineKernel } from '../ir/builder.js';
import { add, advance, div, float, load, mul, select, sub, sumLanes } from '../ir/expressions.js';
import { type Expr, type Kernel, type Target, type Variable } from '../ir/types.js';
import { activate, exp, log } from './math.js';
import { max, partOffsets } from './tiles.js';

/** Walks the outputs: z = each one's value, its number, and the place of its gradient. */
type EachOutput = (write: (z: Expr<'vec'>, number: Expr<'vec'>, dz: Expr<'ptr'>) => void) => void;

interface LossSetting {
  readonly outputs: number;
  /** The class of each lane. */
  readonly label: Variable<'vec'>;
  /** The greatest output. */
  readonly greatest: Variable<'vec'>;
  readonly eachOutput: EachOutput;
}

const zero = float('vec', 0);
const one = float('vec', 1);

/**
 * loss(z, targets, mask, dz, predictions, sums): a model's loss of the outputs z, [output][lane].
 * dz = its gradient * mask, predictions = the first greatest output, or of a single one whether it
 * is positive; sums[0] = the loss and sums[1] = the correct answers, both over the lanes of the
 * mask.
 *
 * An output that is not finite makes the loss not finite: x - x is 0 for finite x alone.
 */
export function lossKernel(name: string, target: Target, model: Model): Kernel {
  const outputs = model.layers.at(-1)?.output[0] ?? 0;
  const lossOf = { softmaxCrossEntropy, binaryCrossEntropy, meanSquaredError }[model.loss];
  const params = {
    z: 'ptr',
    targets: 'ptr',
    mask: 'ptr',
    dz: 'ptr',
    predictions: 'ptr',
    sums: 'ptr',
  } as const;
  return defineKernel(name, params, (k, args) => {
    const losses: Expr<'vec'>[] = [];
    const corrects: Expr<'vec'>[] = [];
    for (const part of partOffsets(target)) {
      const label = k.let(load('vec', args.targets, part));
      const mask = k.let(load('vec', args.mask, part));
      const greatest = k.let(load('vec', args.z, part));
      const prediction = k.let(zero);
      const finite = k.let(zero);
      const eachOutput: EachOutput = (write) => {
        const z = k.let(advance(args.z, part));
        const dz = k.let(advance(args.dz, part));
        const number = k.let(zero);
        k.loop(0, outputs, () => {
          write(load('vec', z), number, dz);
          k.move(z, target.lanes);
          k.move(dz, target.lanes);
          k.set(number, add(number, one));
        });
      };
      eachOutput((output, number) => {
        const z = k.let(output);
        k.set(prediction, select('gt', z, greatest, number, prediction));
        k.set(greatest, max(z, greatest));
        k.set(finite, add(finite, sub(z, z)));
      });
      if (outputs === 1) k.set(prediction, select('gt', greatest, zero, one, zero));
      const loss = lossOf(k, { outputs, label, greatest, eachOutput });
      eachOutput((_, __, dz) => {
        k.store(dz, 0, mul(load('vec', dz), mask));
      });
      const masked = (value: Expr<'vec'>): Expr<'vec'> => select('gt', mask, zero, value, zero);
      losses.push(k.let(masked(add(loss, finite))));
      corrects.push(k.let(masked(select('eq', prediction, label, one, zero))));
      k.store(args.predictions, part, prediction);
    }
    k.store(args.sums, 0, sumLanes(losses));
    k.store(args.sums, 1, sumLanes(corrects));
  });
}

/** log(sum of exp(z)) - z[label], both less the greatest z; dz = softmax(z) - one-hot. */
function softmaxCrossEntropy(
  k: KernelBuilder,
  { label, greatest, eachOutput }: LossSetting,
): Expr<'vec'> {
  const total = k.let(zero);
  const chosen = k.let(zero);
  eachOutput((logit, number, dz) => {
    const shifted = k.let(sub(logit, greatest));
    const power = k.let(exp(k, shifted));
    k.set(total, add(total, power));
    k.set(chosen, select('eq', number, label, shifted, chosen));
    k.store(dz, 0, power);
  });
  eachOutput((_, number, dz) => {
    const probability = div(load('vec', dz), total);
    k.store(dz, 0, sub(probability, select('eq', number, label, one, zero)));
  });
  return sub(log(k, total), chosen);
}

/** What an output should be: the class, if there is but one, else whether the class is its own. */
function targetOf({ outputs, label }: LossSetting, number: Expr<'vec'>): Expr<'vec'> {
  return outputs === 1 ? label : select('eq', number, label, one, zero);
}

/**
 * Mean of max(z, 0) - z t + log(1 + exp(-|z|)), which is the cross-entropy of sigmoid(z) and t
 * without its overflow (as TensorFlow has it); dz = sigmoid(z) - t over the count.
 */
function binaryCrossEntropy(k: KernelBuilder, setting: LossSetting): Expr<'vec'> {
  const share = float('vec', 1 / setting.outputs);
  const total = k.let(zero);
  setting.eachOutput((output, number, dz) => {
    const z = k.let(output);
    const goal = k.let(targetOf(setting, number));
    const lower = k.let(select('gt', z, zero, sub(zero, z), z));
    const linear = sub(max(z, zero), mul(z, goal));
    k.set(total, add(total, add(linear, log(k, add(one, exp(k, lower))))));
    k.store(dz, 0, mul(sub(activate(k, { type: 'sigmoid' }, z), goal), share));
  });
  return mul(total, share);
}

/** Mean of (z - t)^2; dz = 2 (z - t) over the count. */
function meanSquaredError(k: KernelBuilder, setting: LossSetting): Expr<'vec'> {
  const share = float('vec', 1 / setting.outputs);
  const total = k.let(zero);
  setting.eachOutput((output, number, dz) => {
    const error = k.let(sub(output, targetOf(setting, number)));
    k.set(total, add(total, mul(error, error)));
    k.store(dz, 0, mul(add(error, error), share));
  });
  return mul(total, share);
}
