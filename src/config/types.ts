import type { Augmentation } from '../augment/augmentation.js';
import type { EngineChoice } from '../engine/names.js';
import type { PriceSettings } from '../cost/own-price.js';
import type { MoneySettings } from '../cost/pricing.js';
import type { ImageSize } from '../data/images/decode.js';
import type { NormalisationName } from '../data/normalise.js';
import type { OptimizerName } from '../optim/optimizer.js';

export const schedules = ['constant', 'step', 'cosine'] as const;

type ScheduleName = (typeof schedules)[number];

/** What determines the trained weights, besides the data set. */
export interface TrainingSettings {
  /** A built-in model's name, or the whole path of a model's file or folder. */
  readonly model: string;
  readonly epochs: number;
  /** Ends the run after so many steps, if it has not ended before; null: the epochs alone count. */
  readonly steps: number | null;
  /** Samples in a step, over all workers together. */
  readonly batch: number;
  readonly optimizer: OptimizerName;
  /** The peak learning rate. */
  readonly lr: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly schedule: ScheduleName;
  /** Steps of linear warm-up. */
  readonly warmup: number;
  readonly seed: number;
  /** Samples held out of the training set. */
  readonly validation: number;
  /** How training images are changed; evaluation never is. */
  readonly augment: Augmentation;
  /** Null: MNIST's usual one, or `standard`. */
  readonly normalise: NormalisationName | null;
}

/** Which data, and how it is read. */
export interface DataSettings {
  /** The path of a data set, or `mnist`. */
  readonly data: string;
  /** MNIST's folder. */
  readonly dataDir: string | null;
  /** A table's column of labels, by name or by place from 0. */
  readonly label: string | null;
  /** What images are decoded to; null: the size of the first. */
  readonly imageSize: ImageSize | null;
  /** Leave bad samples out. */
  readonly skipBad: boolean;
}

/** How often a run saves a checkpoint, beside the end of each epoch and its own end. */
export type CheckpointInterval = { readonly steps: number } | { readonly seconds: number };

/** When a run must be over: seconds from its start, or milliseconds since 1970. */
export type Deadline = { readonly seconds: number } | { readonly at: number };

export const policies = ['cheapest', 'fastest', 'balanced'] as const;
export type PolicyName = (typeof policies)[number];

/** What ends a run before its last step. */
export interface LimitSettings {
  /** `2.50` or `2.50 EUR` */
  readonly budget: string | null;
  readonly deadline: Deadline | null;
  /** On the validation samples, of 1. */
  readonly targetAccuracy: number | null;
}

/** Who of a fleet computes. */
export interface FleetSettings {
  /** Null: all workers that save time compute. */
  readonly policy: PolicyName | null;
  /** Workers that are left without work are told to exit. */
  readonly releaseIdle: boolean;
}

/**
 * What a resumed run may change if `--override` names it: all but the model, whose weights it has.
 * `engine` stands for a change between exact and approximate engines.
 */
export type Overridable = Exclude<keyof TrainingSettings, 'model'> | 'data' | 'engine';

/** The configuration of `dtrain train`. */
export interface TrainConfig extends TrainingSettings, DataSettings, MoneySettings, LimitSettings {
  readonly checkpointEvery: CheckpointInterval;
  readonly engine: EngineChoice;
  readonly threads: number;
  readonly out: string | null;
  readonly name: string | null;
  /** A saved plan to compare the run with. */
  readonly plan: string | null;
  /** Say at the end where the time went. */
  readonly profile: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** The configuration of `dtrain coordinator`. Holds the token: never write it to a file whole. */
export interface CoordinatorConfig extends TrainConfig, FleetSettings {
  readonly host: string;
  readonly port: number;
  /** Workers to wait for before the first step. */
  readonly workers: number;
  readonly token: string | null;
}

/** The configuration of `dtrain worker`. */
export interface WorkerConfig extends PriceSettings {
  readonly threads: number;
  readonly name: string | null;
  readonly token: string | null;
  readonly engine: EngineChoice;
  /** Seconds to go on trying to reach the coordinator. */
  readonly patience: number;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** The value of each option as it is given; null where it is not and has no fixed default. */
export interface OptionValues
  extends Omit<CoordinatorConfig, 'lr' | 'threads' | 'data'>, Omit<WorkerConfig, 'threads'> {
  readonly lr: number | null;
  readonly threads: number | null;
  readonly data: string | null;
  readonly resume: string | null;
  readonly override: readonly Overridable[];
  readonly tokenFile: string | null;
  readonly config: string | null;
}

export type OptionKey = keyof OptionValues;

/** The options that are about money. */
export type CostKey = keyof MoneySettings;

/** The configuration of `dtrain data`. */
export interface DataConfig extends DataSettings, Pick<TrainingSettings, 'normalise' | 'seed'> {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** The configuration of `dtrain eval` and `doctor`. */
export interface InspectionConfig extends Omit<DataSettings, 'data'> {
  readonly engine: EngineChoice;
  /** Null if it is not given. */
  readonly data: string | null;
  readonly normalise: NormalisationName | null;
  readonly threads: number;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}
