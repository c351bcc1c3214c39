export const optimizers = ['sgd', 'momentum', 'adam', 'adamw'] as const;
export type OptimizerName = (typeof optimizers)[number];

/** Arrays as long as the weights that an optimizer keeps between steps. */
export const stateSlots: Record<OptimizerName, number> = { sgd: 0, momentum: 1, adam: 2, adamw: 2 };

/** The numbers of one step, float32, in the order in which the update kernel finds them. */
export const hyperparameters = [
  'scale',
  'lr',
  'momentum',
  'weightDecay',
  'beta1',
  'oneMinusBeta1',
  'beta2',
  'oneMinusBeta2',
  'correction1',
  'correction2',
  'epsilon',
] as const;
export type Hyperparameter = (typeof hyperparameters)[number];

/** As Kingma, Ba 2015 recommend. */
const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

/** base^exponent for a whole exponent, by multiplication alone: Math.pow differs by platform. */
function wholePower(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}

export interface OptimizerSettings {
  readonly momentum: number;
  readonly weightDecay: number;
}

/**
 * What the update of `step` (from 0) works with.
 * @param lr the learning rate of this step
 * @param samples in this step's batch: gradients come as sums over them
 */
export function stepHyperparameters(
  { momentum, weightDecay }: OptimizerSettings,
  lr: number,
  samples: number,
  step: number,
): Float32Array {
  const values: Record<Hyperparameter, number> = {
    scale: 1 / samples,
    lr,
    momentum,
    weightDecay,
    beta1: BETA_1,
    oneMinusBeta1: 1 - BETA_1,
    beta2: BETA_2,
    oneMinusBeta2: 1 - BETA_2,
    correction1: 1 - wholePower(BETA_1, step + 1),
    correction2: 1 - wholePower(BETA_2, step + 1),
    epsilon: EPSILON,
  };
  return Float32Array.from(hyperparameters, (name) => values[name]);
}
