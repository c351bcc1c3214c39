import { engines } from '../engine/names.js';
import { costOptions, priceKeys } from './cost-options.js';
import { limitKeys, limitOptions } from './limit-options.js';
import type { OptionTable } from './option.js';
import {
  duration,
  host,
  imageSize,
  interval,
  listOf,
  oneOf,
  path,
  plainName,
  secret,
  wholeNumber,
  yesOrNo,
} from './parsers.js';
import { overridables, trainingOptions } from './training-options.js';
import type { OptionKey } from './types.js';

/** Every option of every command. */
export const options: OptionTable = {
  ...trainingOptions,
  data: {
    flag: '--data <path>',
    description: 'data set: mnist, or a path of IDX, image, CSV, NumPy or Parquet files',
    default: null,
    defaultText: 'mnist',
    parser: path,
  },
  label: {
    flag: '--label <column>',
    description: "a table's column of labels: its name, or its place from 0",
    default: null,
    defaultText: 'the one that can be told',
    parser: path,
  },
  imageSize: {
    flag: '--image-size <size>',
    description:
      'what images are scaled to, rows x columns x channels: 32x32x3, or 28x28x1 in grey',
    default: null,
    defaultText: 'the size of the first',
    parser: imageSize,
  },
  skipBad: {
    flag: '--skip-bad',
    description: 'leave bad samples out and count them, instead of ending with an error',
    default: false,
    parser: yesOrNo,
  },
  dataDir: {
    flag: '--data-dir <folder>',
    description: 'folder with the four MNIST files',
    default: null,
    parser: path,
  },
  engine: {
    flag: '--engine <name>',
    description: `what computes the gradients: ${engines.join(', ')}`,
    default: 'auto',
    parser: oneOf(engines),
  },
  threads: {
    flag: '--threads <count>',
    description: 'threads that compute on this machine; a coordinator may have 0',
    default: null,
    defaultText: 'one per core',
    parser: wholeNumber(1, 256),
  },
  out: {
    flag: '--out <folder>',
    description: 'folder to write the run to',
    default: null,
    defaultText: 'runs/<name>',
    parser: path,
  },
  name: {
    flag: '--name <name>',
    description: 'name of the run and its folder in runs/, or of the worker',
    default: null,
    parser: plainName,
  },
  checkpointEvery: {
    flag: '--checkpoint-every <interval>',
    description: 'steps (500) or time (30s, 5m) between checkpoints, beside the end of each epoch',
    default: { seconds: 30 },
    defaultText: '30s',
    parser: interval,
  },
  resume: {
    flag: '--resume <run>',
    description: "go on with a run from its newest checkpoint: the run's folder",
    default: null,
    parser: path,
  },
  override: {
    flag: '--override <settings>',
    description: `settings that a resumed run may change: ${overridables.join(',')}`,
    default: [],
    defaultText: 'none',
    parser: listOf(overridables),
  },
  json: {
    flag: '--json',
    description: 'report one JSON object a line',
    default: false,
    parser: yesOrNo,
  },
  quiet: {
    flag: '--quiet',
    description: 'report only errors and the result',
    default: false,
    parser: yesOrNo,
  },
  plan: {
    flag: '--plan <file>',
    description: 'what dtrain plan has saved: compare the run with it at its end',
    default: null,
    parser: path,
  },
  profile: {
    flag: '--profile',
    description: 'say at the end where the time went, kernel by kernel',
    default: false,
    parser: yesOrNo,
  },
  verbose: {
    flag: '--verbose',
    description: 'show where an error comes from',
    default: false,
    parser: yesOrNo,
  },
  config: {
    flag: '--config <file>',
    description: "JSON file of settings, such as a run's config.json",
    default: null,
    parser: path,
  },
  host: {
    flag: '--host <address>',
    description: 'address to listen on; 0.0.0.0 for all',
    default: '127.0.0.1',
    parser: host,
  },
  port: {
    flag: '--port <number>',
    description: 'port to listen on; 0 for any free one',
    default: 7070,
    parser: wholeNumber(0, 65_535),
  },
  workers: {
    flag: '--workers <count>',
    description: 'workers to wait for before the first step',
    default: 0,
    parser: wholeNumber(0, 1024),
  },
  token: {
    flag: '--token <text>',
    description: 'secret that workers and coordinator share',
    default: null,
    parser: secret,
    secret: true,
  },
  tokenFile: {
    flag: '--token-file <file>',
    description: 'file that holds the token',
    default: null,
    parser: path,
  },
  patience: {
    flag: '--patience <duration>',
    description: 'how long to go on trying to reach the coordinator: 90s, 10m, 2h',
    default: 600,
    defaultText: '10m',
    parser: duration,
  },
  ...costOptions,
  ...limitOptions,
};

/** A coordinator may leave all the computing to its workers. */
export const coordinatorOptions: OptionTable = {
  ...options,
  threads: { ...options.threads, parser: wholeNumber(0, 256) },
};

/** The options that say which data. */
export const dataKeys = [
  'data',
  'dataDir',
  'label',
  'imageSize',
  'skipBad',
] as const satisfies readonly OptionKey[];

/** The options of `dtrain train`, as its help lists them. */
export const trainKeys = [
  'model',
  ...dataKeys,
  'epochs',
  'steps',
  'batch',
  'optimizer',
  'lr',
  'momentum',
  'weightDecay',
  'schedule',
  'warmup',
  'seed',
  'validation',
  'normalise',
  'augment',
  'engine',
  'threads',
  'out',
  'name',
  'checkpointEvery',
  ...priceKeys,
  'currency',
  'rate',
  ...limitKeys,
  'resume',
  'override',
  'config',
  'plan',
  'profile',
  'json',
  'quiet',
  'verbose',
] as const satisfies readonly OptionKey[];

/** The options of `dtrain coordinator`. */
export const coordinatorKeys = [
  'host',
  'port',
  'workers',
  'token',
  'tokenFile',
  'workerPrice',
  'policy',
  'releaseIdle',
  ...trainKeys,
] as const satisfies readonly OptionKey[];

/** The options of `dtrain worker`. */
export const workerKeys = [
  'engine',
  'threads',
  'name',
  'token',
  'tokenFile',
  'patience',
  ...priceKeys,
  'quiet',
  'verbose',
] as const satisfies readonly OptionKey[];

/** `--batch` */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `DTRAIN_BATCH` */
export function environmentName(key: string): string {
  return `DTRAIN_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
