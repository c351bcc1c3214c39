import { defineKernel } from '../ir/builder.js';
import { add, advance, div, float, load, mul, select, sub, sumLanes } from '../ir/expressions.js';
import { type Expr, type Kernel, type Target } from '../ir/types.js';
import { exp, log } from './math.js';
import { max, partOffsets } from './tiles.js';

/**
 * loss(z, targets, mask, dz, predictions, sums): softmax cross-entropy of the logits z,
 * [class][lane]. dz = (softmax(z) - one-hot target) * mask, predictions = the first greatest
 * class; sums[0] = the loss and sums[1] = the correct answers, both over the lanes of the mask.
 *
 * A logit that is not finite makes the loss not finite: x - x is 0 for finite x alone.
 */
export function softmaxCrossEntropy(name: string, target: Target, classes: number): Kernel {
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
      const prediction = k.let(float('vec', 0));
      const finite = k.let(float('vec', 0));
      const eachClass = (write: (z: Expr<'vec'>, number: Expr<'vec'>, dz: Expr<'ptr'>) => void) => {
        const z = k.let(advance(args.z, part));
        const dz = k.let(advance(args.dz, part));
        const number = k.let(float('vec', 0));
        k.loop(0, classes, () => {
          write(load('vec', z), number, dz);
          k.move(z, target.lanes);
          k.move(dz, target.lanes);
          k.set(number, add(number, float('vec', 1)));
        });
      };
      eachClass((logit, number) => {
        const z = k.let(logit);
        k.set(prediction, select('gt', z, greatest, number, prediction));
        k.set(greatest, max(z, greatest));
        k.set(finite, add(finite, sub(z, z)));
      });
      const total = k.let(float('vec', 0));
      const chosen = k.let(float('vec', 0));
      eachClass((logit, number, dz) => {
        const shifted = k.let(sub(logit, greatest));
        const power = k.let(exp(k, shifted));
        k.set(total, add(total, power));
        k.set(chosen, select('eq', number, label, shifted, chosen));
        k.store(dz, 0, power);
      });
      eachClass((_, number, dz) => {
        const probability = div(load('vec', dz), total);
        const hit = select('eq', number, label, float('vec', 1), float('vec', 0));
        k.store(dz, 0, mul(sub(probability, hit), mask));
      });
      const loss = add(sub(log(k, total), chosen), finite);
      const masked = (value: Expr<'vec'>): Expr<'vec'> =>
        select('gt', mask, float('vec', 0), value, float('vec', 0));
      losses.push(k.let(masked(loss)));
      corrects.push(
        k.let(masked(select('eq', prediction, label, float('vec', 1), float('vec', 0)))),
      );
      k.store(args.predictions, part, prediction);
    }
    k.store(args.sums, 0, sumLanes(losses));
    k.store(args.sums, 1, sumLanes(corrects));
  });
}
