import { normalisations } from '../data/normalise.js';
import { type OptimizerName, optimizers } from '../optim/optimizer.js';
import { augmentationText, NO_AUGMENTATION, usualAmounts } from '../augment/augmentation.js';
import { augmentation } from './augmentation.js';
import type { OptionTable } from './option.js';
import { builtInNames } from '../model/built-in.js';
import { fraction, fractionBelowOne, modelPlace, rate, oneOf, wholeNumber } from './parsers.js';
import { type Overridable, schedules, type TrainingSettings } from './types.js';

/** The peak learning rate where none is given. */
export const defaultLearningRates: Readonly<Record<OptimizerName, number>> = {
  sgd: 0.2,
  momentum: 0.05,
  adam: 0.002,
  adamw: 0.002,
};

/** What determines the trained weights. */
export const trainingOptions: OptionTable<keyof TrainingSettings> = {
  model: {
    flag: '--model <name|path>',
    description: `model to train: ${builtInNames}, or a model's file or folder`,
    default: 'lenet5',
    parser: modelPlace,
  },
  epochs: {
    flag: '--epochs <count>',
    description: 'passes over the training samples',
    default: 4,
    parser: wholeNumber(1, 10_000),
  },
  steps: {
    flag: '--steps <count>',
    description: 'stop after so many steps in all, even within an epoch',
    default: null,
    parser: wholeNumber(1, 1e9),
  },
  batch: {
    flag: '--batch <samples>',
    description: 'samples in a step, over all workers together',
    default: 64,
    parser: wholeNumber(1, 65_536),
  },
  optimizer: {
    flag: '--optimizer <name>',
    description: `how weights follow gradients: ${optimizers.join(', ')}`,
    default: 'momentum',
    parser: oneOf(optimizers),
  },
  lr: {
    flag: '--lr <rate>',
    description: 'peak learning rate, a factor on the gradient',
    default: null,
    defaultText: optimizers.map((name) => `${name} ${defaultLearningRates[name]}`).join(', '),
    parser: rate,
  },
  momentum: {
    flag: '--momentum <fraction>',
    description: 'part of the last update kept in the next, for --optimizer momentum',
    default: 0.9,
    parser: fractionBelowOne,
  },
  weightDecay: {
    flag: '--weight-decay <fraction>',
    description: 'weight decay, a factor on the weights',
    default: 0,
    parser: fraction,
  },
  schedule: {
    flag: '--schedule <name>',
    description: `learning rate after the warm-up: ${schedules.join(', ')}`,
    default: 'cosine',
    parser: oneOf(schedules),
  },
  warmup: {
    flag: '--warmup <steps>',
    description: 'steps in which the learning rate rises to its peak, at most half of all',
    default: 200,
    parser: wholeNumber(0, 1e9),
  },
  seed: {
    flag: '--seed <number>',
    description: 'first weights, sample order and validation split follow from it',
    default: 1,
    parser: wholeNumber(0, 2 ** 32 - 1),
  },
  validation: {
    flag: '--validation <samples>',
    description: 'training samples held out to validate on',
    default: 0,
    parser: wholeNumber(0, 1e6),
  },
  normalise: {
    flag: '--normalise <name>',
    description: `what samples' values are brought to: ${normalisations.join(', ')}`,
    default: null,
    defaultText: 'standard; of MNIST its usual mean and deviation',
    parser: oneOf(normalisations),
  },
  augment: {
    flag: '--augment [changes]',
    description: `change each training image at random, by so much at most; alone: ${augmentationText(usualAmounts)}`,
    default: NO_AUGMENTATION,
    defaultText: 'none',
    parser: augmentation,
  },
};

/** The settings above, in their order. */
export const trainingKeys = Object.keys(trainingOptions) as (keyof TrainingSettings)[];

export const overridables: readonly Overridable[] = [
  ...trainingKeys.filter((key) => key !== 'model'),
  'data',
  'engine',
];
