import { availableParallelism } from 'node:os';
import { augmentationText } from '../augment/augmentation.js';
import { arithmeticOf } from '../engine/names.js';
import { DtrainError } from '../errors.js';
import type { PriceSettings } from '../cost/own-price.js';
import type { MoneySettings } from '../cost/pricing.js';
import { dataSettings, MNIST } from './data-settings.js';
import { type ConfigFile, readTokenFile } from './files.js';
import type { OptionTable } from './option.js';
import { coordinatorOptions, options } from './options.js';
import { checkDeadline } from './limit-options.js';
import { Settings, type Sources } from './settings.js';
import { defaultLearningRates, overridables, trainingKeys } from './training-options.js';
import {
  type CoordinatorConfig,
  type DataConfig,
  type FleetSettings,
  type InspectionConfig,
  type LimitSettings,
  type Overridable,
  type TrainConfig,
  type TrainingSettings,
  type WorkerConfig,
} from './types.js';

/**
 * The configuration of `dtrain train`; whatever is wrong with it is a USAGE error.
 * @param saved the settings of the run that is resumed, which flags and variables may change as far
 * as the weights do not depend on them or `--override` names them
 */
export async function resolveTrain(sources: Sources, saved?: SavedSettings): Promise<TrainConfig> {
  return run(await settingsOf(options, sources, saved && withOwnThreads(saved)));
}

/** The configuration of `dtrain coordinator`, likewise. */
export async function resolveCoordinator(
  sources: Sources,
  saved?: SavedSettings,
): Promise<CoordinatorConfig> {
  const settings = await settingsOf(coordinatorOptions, sources, saved);
  return {
    ...run(settings),
    host: settings.get('host'),
    port: settings.get('port'),
    workers: settings.get('workers'),
    token: await token(settings),
    ...fleet(settings),
  };
}

/** The configuration of `dtrain worker`, which has no file: a run's settings are not a worker's. */
export async function resolveWorker(sources: Sources): Promise<WorkerConfig> {
  const settings = new Settings(options, sources);
  return {
    threads: threads(settings),
    name: settings.get('name'),
    engine: settings.get('engine'),
    token: await token(settings),
    patience: settings.get('patience'),
    ...price(settings),
    ...loudness(settings),
  };
}

/** The configuration of the commands that look at machines and models. */
export function resolveInspection(sources: Sources): InspectionConfig {
  const settings = new Settings(options, sources);
  return {
    ...dataSettings(settings),
    engine: settings.get('engine'),
    normalise: settings.get('normalise'),
    threads: threads(settings),
    json: settings.get('json'),
    ...loudness(settings),
  };
}

/** The configuration of `dtrain data`. */
export function resolveData(sources: Sources): DataConfig {
  const settings = new Settings(options, sources);
  const data = dataSettings(settings);
  return {
    ...data,
    data: data.data ?? MNIST,
    normalise: settings.get('normalise'),
    seed: settings.get('seed'),
    json: settings.get('json'),
    ...loudness(settings),
  };
}

/** The run that `--resume` or DTRAIN_RESUME names, or null. */
export function resumedRun(sources: Sources): string | null {
  return new Settings(options, sources).get('resume');
}

/** What a resumed run may change. */
export function overridesOf(sources: Sources): readonly Overridable[] {
  return new Settings(options, sources).get('override');
}

/** Where a run that is resumed keeps its settings, and what they are. */
export type SavedSettings = ConfigFile;

/** A coordinator may have had none. */
function withOwnThreads(saved: SavedSettings): SavedSettings {
  const { threads, ...values } = saved.values;
  return threads === 0 ? { ...saved, values } : saved;
}

async function settingsOf(
  table: OptionTable,
  sources: Sources,
  saved: SavedSettings | undefined,
): Promise<Settings> {
  if (saved === undefined) return Settings.withFile(table, sources);
  const settings = new Settings(table, sources, saved);
  for (const key of ['config', 'out', 'name', 'plan'] as const) {
    if (settings.isGiven(key)) {
      const message = `${settings.origin(key)} cannot be given with --resume: the run has its own.`;
      throw new DtrainError('USAGE', message);
    }
  }
  refuseChanges(settings, new Settings(table, { flags: {}, env: {} }, saved));
  return settings;
}

/** A resumed run ends in the weights of an uninterrupted one only if nothing changes them. */
function refuseChanges(settings: Settings, saved: Settings): void {
  const allowed: readonly string[] = settings.get('override');
  for (const key of trainingKeys) {
    const [now, before] = [settingText(settings.get(key)), settingText(saved.get(key))];
    if (now === before || allowed.includes(key)) continue;
    // The model cannot be overridden: other layers have other weights.
    const advice = (overridables as readonly string[]).includes(key)
      ? `leave it out, or add --override ${key} to change it all the same`
      : 'leave it out';
    const message = `${settings.origin(key)} is ${now}, and the run's is ${before}: ${advice}.`;
    throw new DtrainError('USAGE', message);
  }
  const [engine, engineBefore] = [settings.get('engine'), saved.get('engine')];
  const arithmetic = arithmeticOf(engine);
  if (arithmetic !== arithmeticOf(engineBefore) && !allowed.includes('engine')) {
    const message = `${settings.origin('engine')} is ${engine}, which is ${arithmetic}, and the run's is ${engineBefore}, which is ${arithmeticOf(engineBefore)}: leave it out, or add --override engine to change it all the same.`;
    throw new DtrainError('USAGE', message);
  }
}

function settingText(value: TrainingSettings[keyof TrainingSettings]): string {
  return typeof value === 'object' && value !== null ? augmentationText(value) : String(value);
}

function run(settings: Settings): TrainConfig {
  const optimizer = settings.get('optimizer');
  const data = dataSettings(settings);
  return {
    model: settings.get('model'),
    ...data,
    data: data.data ?? MNIST,
    epochs: settings.get('epochs'),
    steps: settings.get('steps'),
    batch: settings.get('batch'),
    optimizer,
    lr: settings.get('lr') ?? defaultLearningRates[optimizer],
    momentum: settings.get('momentum'),
    weightDecay: settings.get('weightDecay'),
    schedule: settings.get('schedule'),
    warmup: settings.get('warmup'),
    seed: settings.get('seed'),
    validation: settings.get('validation'),
    normalise: settings.get('normalise'),
    augment: settings.get('augment'),
    engine: settings.get('engine'),
    threads: threads(settings),
    out: settings.get('out'),
    name: settings.get('name'),
    checkpointEvery: settings.get('checkpointEvery'),
    ...limits(settings),
    ...money(settings),
    plan: settings.get('plan'),
    profile: settings.get('profile'),
    json: settings.get('json'),
    ...loudness(settings),
  };
}

/** What a plan's machines cost, said as for a run. */
export function resolveMoney(sources: Sources): MoneySettings {
  return money(new Settings(options, sources));
}

function money(settings: Settings): MoneySettings {
  return {
    ...price(settings),
    currency: settings.get('currency'),
    rate: settings.get('rate'),
    workerPrice: settings.get('workerPrice'),
  };
}

/** What ends the run. */
function limits(settings: Settings): LimitSettings {
  const deadline = settings.get('deadline');
  if (deadline !== null) checkDeadline(deadline, settings.origin('deadline'));
  const targetAccuracy = settings.get('targetAccuracy');
  if (targetAccuracy !== null && settings.get('validation') === 0) {
    const origin = settings.origin('targetAccuracy');
    const message = `${origin} is about samples that are held out of the training: add --validation 5000.`;
    throw new DtrainError('USAGE', message);
  }
  return { budget: settings.get('budget'), deadline, targetAccuracy };
}

/** Who computes: of whoever is done by the deadline, or keeps to the budget, the best at the rest. */
function fleet(settings: Settings): FleetSettings {
  const byBudget = settings.get('budget') === null ? null : 'fastest';
  const byLimits = settings.get('deadline') === null ? byBudget : 'cheapest';
  const policy = settings.get('policy') ?? byLimits;
  const releaseIdle = settings.get('releaseIdle');
  if (releaseIdle && policy === null) {
    const origin = settings.origin('releaseIdle');
    const message = `${origin} goes with --policy, --budget or --deadline: say what workers are chosen for.`;
    throw new DtrainError('USAGE', message);
  }
  return { policy, releaseIdle };
}

/** What this machine costs is said in one of three ways. */
function price(settings: Settings): PriceSettings {
  const way = settings.chosen(['price', 'watts', 'instance']);
  return {
    price: way === 'price' ? settings.get('price') : null,
    watts: way === 'watts' ? settings.get('watts') : null,
    instance: way === 'instance' ? settings.get('instance') : null,
    kwh: settings.get('kwh'),
    spot: settings.get('spot'),
    prices: settings.get('prices'),
    perGb: settings.get('perGb'),
    billingMinimum: settings.get('billingMinimum'),
  };
}

function threads(settings: Settings): number {
  return settings.get('threads') ?? Math.min(availableParallelism(), 256);
}

function loudness(settings: Settings): { quiet: boolean; verbose: boolean } {
  const [quiet, verbose] = settings.either('quiet', 'verbose');
  return { quiet, verbose };
}

async function token(settings: Settings): Promise<string | null> {
  const [text, file] = settings.either('token', 'tokenFile');
  return file === null ? text : readTokenFile(file, settings.origin('tokenFile'));
}
