import { availableParallelism } from 'node:os';
import { DtrainError } from '../errors.js';
import { dataSettings, MNIST } from './data-settings.js';
import type { TableOf } from './option.js';
import { options } from './options.js';
import { listOf, listOfNumbers, path, someSeconds, wholeNumber, yesOrNo } from './parsers.js';
import { Settings, type Sources } from './settings.js';
import { defaultLearningRates } from './training-options.js';
import type { DataSettings, OptionValues, TrainingSettings } from './types.js';

/** What a worker of a benchmark is: a thread of one process, or a process of its own over `ws`. */
export const benchKinds = ['threads', 'processes'] as const;
/** Strong: one global batch for any number of workers. Weak: one batch for each worker. */
const scalings = ['strong', 'weak'] as const;

type BenchKind = (typeof benchKinds)[number];
/** What a row of a table measures: also workers of other machines, all that joined together. */
export type WorkerKind = BenchKind | 'joined';
export type Scaling = (typeof scalings)[number];

type Shared =
  | 'model'
  | keyof DataSettings
  | 'normalise'
  | 'optimizer'
  | 'lr'
  | 'seed'
  | 'engine'
  | 'steps'
  | 'host'
  | 'port'
  | 'token'
  | 'json'
  | 'quiet'
  | 'verbose';

interface BenchValues extends Pick<OptionValues, Shared> {
  readonly workers: readonly number[] | null;
  readonly kinds: readonly BenchKind[];
  readonly joined: number;
  readonly scaling: readonly Scaling[];
  readonly batch: readonly number[];
  readonly runs: number;
  readonly seconds: number;
  readonly csv: boolean;
  readonly html: string | null;
}

/** The configuration of `dtrain bench`. */
export interface BenchConfig
  extends
    Omit<BenchValues, 'workers' | 'lr' | 'data'>,
    DataSettings,
    Pick<TrainingSettings, 'lr' | 'momentum' | 'weightDecay'> {
  /** Rising; the first is 1. */
  readonly workers: readonly number[];
}

const MOST_WORKERS = 256;
const LARGEST_BATCH = 65_536;

/** The options of `dtrain bench`, as its help lists them. */
export const benchOptions: TableOf<BenchValues> = {
  workers: {
    flag: '--workers <counts>',
    description: 'numbers of workers to compare, such as 1,2,4; 1 is always among them',
    default: null,
    defaultText: '1,2,4… up to the cores',
    parser: listOfNumbers(1, MOST_WORKERS),
  },
  kinds: {
    flag: '--kinds <names>',
    description: `what a worker is: ${benchKinds.join(', ')}`,
    default: benchKinds,
    defaultText: benchKinds.join(','),
    parser: listOf(benchKinds),
  },
  joined: {
    flag: '--joined <count>',
    description: 'workers of other machines to wait for and to measure too, all together',
    default: 0,
    parser: wholeNumber(0, MOST_WORKERS),
  },
  host: { ...options.host, description: 'address for --joined to listen on; 0.0.0.0 for all' },
  port: {
    ...options.port,
    description: 'port for --joined to listen on',
    parser: wholeNumber(1, 65_535),
  },
  token: { ...options.token, description: 'secret that workers which join must know' },
  scaling: {
    flag: '--scaling <names>',
    description: 'strong (one global batch), weak (one batch for each worker)',
    default: scalings,
    defaultText: scalings.join(','),
    parser: listOf(scalings),
  },
  batch: {
    flag: '--batch <samples>',
    description: 'samples in a step: in all (strong), or of each worker (weak); one or several',
    default: [64],
    defaultText: '64',
    parser: listOfNumbers(1, LARGEST_BATCH),
  },
  runs: {
    flag: '--runs <count>',
    description: 'runs of each configuration, one round after the other',
    default: 5,
    parser: wholeNumber(1, 1000),
  },
  seconds: {
    flag: '--seconds <number>',
    description: 'about how long one worker trains in a run',
    default: 3,
    parser: someSeconds,
  },
  steps: {
    ...options.steps,
    description: 'steps to count in every run, in place of --seconds',
  },
  model: options.model,
  data: options.data,
  dataDir: options.dataDir,
  label: options.label,
  imageSize: options.imageSize,
  skipBad: options.skipBad,
  normalise: options.normalise,
  optimizer: options.optimizer,
  lr: options.lr,
  seed: options.seed,
  engine: options.engine,
  html: {
    flag: '--html <file>',
    description: 'write a report with plots',
    default: null,
    parser: path,
  },
  csv: {
    flag: '--csv',
    description: 'print one row of comma-separated values for each configuration',
    default: false,
    parser: yesOrNo,
  },
  json: options.json,
  quiet: options.quiet,
  verbose: options.verbose,
};

/** The configuration of `dtrain bench`; whatever is wrong with it is a USAGE error. */
export function resolveBench(sources: Sources): BenchConfig {
  const settings = new Settings(benchOptions, sources);
  const [json, csv] = settings.either('json', 'csv');
  const [quiet, verbose] = settings.either('quiet', 'verbose');
  const optimizer = settings.get('optimizer');
  const data = dataSettings(settings);
  const config = {
    workers: [...new Set([1, ...(settings.get('workers') ?? upTo(availableParallelism()))])],
    kinds: settings.get('kinds'),
    joined: settings.get('joined'),
    host: settings.get('host'),
    port: settings.get('port'),
    token: settings.get('token'),
    scaling: settings.get('scaling'),
    batch: settings.get('batch'),
    runs: settings.get('runs'),
    seconds: settings.get('seconds'),
    steps: settings.get('steps'),
    model: settings.get('model'),
    ...data,
    data: data.data ?? MNIST,
    normalise: settings.get('normalise'),
    optimizer,
    lr: settings.get('lr') ?? defaultLearningRates[optimizer],
    momentum: options.momentum.default,
    weightDecay: options.weightDecay.default,
    seed: settings.get('seed'),
    engine: settings.get('engine'),
    html: settings.get('html'),
    json,
    csv,
    quiet,
    verbose,
  };
  const most = Math.max(config.workers.at(-1) ?? 0, config.joined);
  const largest = (config.batch.at(-1) ?? 0) * most;
  if (config.scaling.includes('weak') && largest > LARGEST_BATCH) {
    throw new DtrainError(
      'USAGE',
      `${settings.origin('batch')} times ${settings.origin('workers')} may be ${LARGEST_BATCH} samples at most for weak scaling, not ${largest}: choose less, or --scaling strong.`,
    );
  }
  return config;
}

/** 1, 2, 4, … and the cores. */
function upTo(cores: number): number[] {
  const most = Math.min(cores, MOST_WORKERS);
  const powers = Array.from({ length: 1 + Math.floor(Math.log2(most)) }, (_, power) => 2 ** power);
  return [...new Set([...powers, most])];
}
