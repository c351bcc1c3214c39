import type { BenchConfig } from '../src/config/bench-options.js';
import { options } from '../src/config/options.js';
import { NO_LIMITS } from '../src/config/limit-options.js';
import type { CoordinatorConfig, DataSettings } from '../src/config/types.js';
import { NO_PRICES } from '../src/cost/pricing.js';
import type { Configuration } from './plan.js';

/** What a user says of a run that is only measured. */
export type MeasuredSettings = Pick<
  BenchConfig,
  | 'model'
  | 'optimizer'
  | 'lr'
  | 'momentum'
  | 'weightDecay'
  | 'seed'
  | keyof DataSettings
  | 'normalise'
  | 'engine'
>;

/** The settings of one run that is only measured, as a coordinator has them. */
export function runConfig(
  config: MeasuredSettings,
  { kind, workers, batch, steps, warmUpSteps }: Configuration,
  token: string | null,
): CoordinatorConfig {
  const { model, optimizer, lr, momentum, weightDecay, seed, engine } = config;
  const { data, dataDir, label, imageSize, skipBad, normalise } = config;
  return {
    ...NO_PRICES,
    ...NO_LIMITS,
    model,
    optimizer,
    lr,
    momentum,
    weightDecay,
    seed,
    data,
    dataDir,
    label,
    imageSize,
    skipBad,
    normalise,
    engine,
    batch,
    epochs: MOST_EPOCHS,
    steps: warmUpSteps + steps,
    schedule: options.schedule.default,
    warmup: options.warmup.default,
    validation: 0,
    augment: options.augment.default,
    checkpointEvery: { steps: warmUpSteps },
    threads: kind === 'threads' ? workers : 0,
    workers: kind === 'threads' ? 0 : workers,
    host: '127.0.0.1',
    port: 0,
    token,
    out: null,
    name: null,
    plan: null,
    profile: false,
    json: false,
    quiet: true,
    verbose: false,
  };
}

/** So many that the steps alone count. */
const MOST_EPOCHS = 1e9;
