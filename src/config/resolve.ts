import { availableParallelism } from 'node:os';
import { readTokenFile } from './files.js';
import { coordinatorOptions, options } from './options.js';
import { Settings, type Sources } from './settings.js';
import { defaultLearningRates } from './training-options.js';
import type { CoordinatorConfig, InspectionConfig, TrainConfig, WorkerConfig } from './types.js';

/** The configuration of `dtrain train`; whatever is wrong with it is a USAGE error. */
export async function resolveTrain(sources: Sources): Promise<TrainConfig> {
  return run(await Settings.withFile(options, sources));
}

/** The configuration of `dtrain coordinator`. */
export async function resolveCoordinator(sources: Sources): Promise<CoordinatorConfig> {
  const settings = await Settings.withFile(coordinatorOptions, sources);
  return {
    ...run(settings),
    host: settings.get('host'),
    port: settings.get('port'),
    workers: settings.get('workers'),
    token: await token(settings),
  };
}

/** The configuration of `dtrain worker`, which has no file: a run's settings are not a worker's. */
export async function resolveWorker(sources: Sources): Promise<WorkerConfig> {
  const settings = new Settings(options, sources);
  return {
    threads: threads(settings),
    name: settings.get('name'),
    token: await token(settings),
    patience: settings.get('patience'),
    ...loudness(settings),
  };
}

/** The configuration of the commands that look at data and models. */
export function resolveInspection(sources: Sources): InspectionConfig {
  const settings = new Settings(options, sources);
  return {
    dataDir: settings.get('dataDir'),
    threads: threads(settings),
    json: settings.get('json'),
    ...loudness(settings),
  };
}

function run(settings: Settings): TrainConfig {
  const optimizer = settings.get('optimizer');
  return {
    model: settings.get('model'),
    dataDir: settings.get('dataDir'),
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
    engine: settings.get('engine'),
    threads: threads(settings),
    out: settings.get('out'),
    name: settings.get('name'),
    json: settings.get('json'),
    ...loudness(settings),
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
