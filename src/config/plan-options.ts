import { availableParallelism } from 'node:os';
import type { MoneySettings } from '../cost/pricing.js';
import { DtrainError } from '../errors.js';
import { costOptions } from './cost-options.js';
import { dataSettings, MNIST } from './data-settings.js';
import { readTokenFile } from './files.js';
import { checkDeadline, limitOptions } from './limit-options.js';
import type { TableOf } from './option.js';
import { coordinatorOptions, options } from './options.js';
import { duration, type Parser, path, someSeconds, wholeNumber, yesOrNo } from './parsers.js';
import { resolveMoney } from './resolve.js';
import { Settings, type Sources } from './settings.js';
import { defaultLearningRates } from './training-options.js';
import type {
  CoordinatorConfig,
  DataSettings,
  LimitSettings,
  OptionValues,
  TrainingSettings,
} from './types.js';

type Shared =
  | 'model'
  | keyof DataSettings
  | 'normalise'
  | 'epochs'
  | 'steps'
  | 'batch'
  | 'optimizer'
  | 'validation'
  | 'seed'
  | 'engine'
  | 'threads'
  | 'host'
  | 'token'
  | 'tokenFile'
  | 'json'
  | 'quiet'
  | 'verbose';

interface PlanValues extends Pick<OptionValues, Shared>, MoneySettings {
  readonly workers: number;
  readonly port: number | null;
  readonly wait: number;
  readonly seconds: number;
  readonly profile: string | null;
  readonly fleet: string | null;
  readonly simulate: boolean;
  readonly params: number | null;
  readonly tokens: number | null;
  readonly flopsPerWorker: number | null;
  readonly utilisation: number;
  readonly budget: LimitSettings['budget'];
  readonly deadline: LimitSettings['deadline'];
  readonly save: string | null;
  readonly csv: boolean;
}

/** A language model's training, for which time and cost follow from arithmetic alone. */
interface LanguageModelSettings {
  readonly params: number;
  readonly tokens: number;
  readonly flopsPerWorker: number;
  readonly utilisation: number;
}

/** The configuration of `dtrain plan`. */
export interface PlanConfig
  extends
    DataSettings,
    Omit<
      PlanValues,
      | 'data'
      | 'deadline'
      | 'port'
      | 'host'
      | 'token'
      | 'tokenFile'
      | 'threads'
      | keyof LanguageModelSettings
    >,
    Pick<TrainingSettings, 'lr' | 'momentum' | 'weightDecay'> {
  readonly threads: number;
  /** Seconds from the command to the end of the run. */
  readonly deadline: number | null;
  /** Where workers join that are to be measured; null: they are started on this machine. */
  readonly listen: Pick<CoordinatorConfig, 'host' | 'port' | 'token'> | null;
  readonly languageModel: LanguageModelSettings | null;
}

const MOST_WORKERS = 1_000_000;
/** As many as are measured, started here or not. */
const MOST_MEASURED = 256;

function above(least: number, most: number, example: string): Parser<number> {
  return {
    expects: `a number above ${least} and at most ${most}, such as ${example}`,
    parse: (value) => {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      return typeof number === 'number' && number > least && number <= most ? number : undefined;
    },
  };
}

/** The options of `dtrain plan`, as its help lists them. */
export const planOptions: TableOf<PlanValues> = {
  workers: {
    flag: '--workers <count>',
    description:
      'workers to measure: started on this machine, or with --port those that join; with --params, workers to plan for',
    default: 0,
    parser: wholeNumber(1, MOST_WORKERS),
  },
  port: {
    ...options.port,
    description: 'measure workers that join here, as they would join a coordinator; 0: any port',
    default: null,
  },
  host: options.host,
  token: options.token,
  tokenFile: options.tokenFile,
  wait: {
    flag: '--wait <duration>',
    description: 'how long to wait for the workers',
    default: 120,
    defaultText: '2m',
    parser: duration,
  },
  seconds: {
    flag: '--seconds <number>',
    description: 'about how long each thing is measured',
    default: 1,
    parser: someSeconds,
  },
  profile: {
    flag: '--profile <file>',
    description: 'use what was measured before, and saved with --save',
    default: null,
    parser: path,
  },
  fleet: {
    flag: '--fleet <file>',
    description: 'plan for the machines that a JSON file describes',
    default: null,
    parser: path,
  },
  simulate: {
    flag: '--simulate',
    description:
      "run the coordinator's scheduler on these machines in simulated time: 1, 2, … all workers",
    default: false,
    parser: yesOrNo,
  },
  budget: { ...limitOptions.budget, description: 'choose the fastest fleet that costs no more' },
  deadline: {
    ...limitOptions.deadline,
    description: 'choose the cheapest fleet that is done in 20m, at 18:30, at 2030-12-31T18:30',
  },
  ...costOptions,
  price: {
    ...costOptions.price,
    description:
      'what this machine costs, and each that does not say so itself: 0.12/h, "0.12 EUR/h"',
  },
  save: {
    flag: '--save <file>',
    description: 'keep the plan, for --profile and for the --plan of a run',
    default: null,
    parser: path,
  },
  params: {
    flag: '--params <number>',
    description: "plan a language model's training: its parameters, such as 175e9",
    default: null,
    parser: above(0, 1e18, '175e9'),
  },
  tokens: {
    flag: '--tokens <number>',
    description: 'tokens to train it on, such as 300e9',
    default: null,
    parser: above(0, 1e18, '300e9'),
  },
  flopsPerWorker: {
    flag: '--flops-per-worker <number>',
    description: 'floating-point operations a second of one worker, such as 28e12',
    default: null,
    parser: above(0, 1e21, '28e12'),
  },
  utilisation: {
    flag: '--utilisation <fraction>',
    description: 'the share of them that training gets',
    default: 1,
    parser: above(0, 1, '0.4'),
  },
  model: options.model,
  epochs: options.epochs,
  steps: options.steps,
  batch: options.batch,
  optimizer: options.optimizer,
  validation: options.validation,
  seed: options.seed,
  data: options.data,
  dataDir: options.dataDir,
  label: options.label,
  imageSize: options.imageSize,
  skipBad: options.skipBad,
  normalise: options.normalise,
  engine: options.engine,
  threads: {
    ...coordinatorOptions.threads,
    description: 'most threads of this machine to plan with',
  },
  csv: {
    flag: '--csv',
    description: 'print one row of comma-separated values for each fleet',
    default: false,
    parser: yesOrNo,
  },
  json: options.json,
  quiet: options.quiet,
  verbose: options.verbose,
};

/** The configuration of `dtrain plan`; whatever is wrong with it is a USAGE error. */
export async function resolvePlan(sources: Sources): Promise<PlanConfig> {
  const settings = new Settings(planOptions, sources);
  const [json, csv] = settings.either('json', 'csv');
  const [quiet, verbose] = settings.either('quiet', 'verbose');
  const [secret, file] = settings.either('token', 'tokenFile');
  const token = file === null ? secret : await readTokenFile(file, settings.origin('tokenFile'));
  const languageModel = resolveLanguageModel(settings);
  refuseCombinations(settings);
  const optimizer = settings.get('optimizer');
  const data = dataSettings(settings);
  const port = settings.get('port');
  return {
    ...resolveMoney(sources),
    workers: settings.get('workers'),
    listen: port === null ? null : { host: settings.get('host'), port, token },
    wait: settings.get('wait'),
    seconds: settings.get('seconds'),
    profile: settings.get('profile'),
    fleet: settings.get('fleet'),
    simulate: settings.get('simulate'),
    budget: settings.get('budget'),
    deadline: secondsLeft(settings),
    save: settings.get('save'),
    languageModel,
    model: settings.get('model'),
    epochs: settings.get('epochs'),
    steps: settings.get('steps'),
    batch: settings.get('batch'),
    optimizer,
    lr: defaultLearningRates[optimizer],
    momentum: options.momentum.default,
    weightDecay: options.weightDecay.default,
    validation: settings.get('validation'),
    seed: settings.get('seed'),
    ...data,
    data: data.data ?? MNIST,
    normalise: settings.get('normalise'),
    engine: settings.get('engine'),
    threads: settings.get('threads') ?? Math.min(availableParallelism(), 256),
    json,
    csv,
    quiet,
    verbose,
  };
}

type PlanSettings = Settings<PlanValues>;

function secondsLeft(settings: PlanSettings): number | null {
  const deadline = settings.get('deadline');
  if (deadline === null) return null;
  checkDeadline(deadline, settings.origin('deadline'));
  return 'seconds' in deadline ? deadline.seconds : (deadline.at - Date.now()) / 1000;
}

/** All of what it takes, or nothing. */
function resolveLanguageModel(settings: PlanSettings): LanguageModelSettings | null {
  const [params, tokens, flopsPerWorker] = [
    settings.get('params'),
    settings.get('tokens'),
    settings.get('flopsPerWorker'),
  ];
  if (params === null && tokens === null && flopsPerWorker === null) return null;
  if (params === null || tokens === null || flopsPerWorker === null) {
    throw usage(
      "A language model's plan takes --params, --tokens and --flops-per-worker: give all three.",
    );
  }
  return { params, tokens, flopsPerWorker, utilisation: settings.get('utilisation') };
}

function refuseCombinations(settings: PlanSettings): void {
  const given = (key: keyof PlanValues): boolean => settings.isGiven(key);
  for (const key of ['fleet', 'profile', 'port', 'simulate'] as const) {
    if (given('params') && given(key)) {
      throw usage(`--params and ${settings.origin(key)} exclude each other: give only one.`);
    }
  }
  if (given('fleet') && given('workers')) {
    throw usage('--fleet and --workers exclude each other: the file says how many there are.');
  }
  if (given('port') && !given('workers')) {
    throw usage('--port goes with --workers, the number of workers that will join.');
  }
  if (!given('params') && settings.get('workers') > MOST_MEASURED) {
    throw usage(
      `${settings.origin('workers')} may be ${MOST_MEASURED} at most where they are measured: describe more in a file, with --fleet.`,
    );
  }
}

function usage(message: string): DtrainError {
  return new DtrainError('USAGE', message);
}
