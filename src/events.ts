import type { Planned } from './cost/planned.js';
import type { Arithmetic } from './engine/names.js';
import type { RunCost } from './cost/summary.js';

/** What happens in a run, as `--json` prints it and the library yields it; docs/events.md. */
export type RunEvent =
  StartEvent | EpochEvent | WorkerEvent | CheckpointEvent | ProfileEvent | ResultEvent;

export interface StartEvent {
  readonly event: 'start';
  readonly run: string;
  readonly runDir: string;
  readonly model: string;
  readonly parameters: number;
  readonly dataset: string;
  /** Where it came from, for people. */
  readonly datasetSource: string;
  readonly trainSamples: number;
  readonly validationSamples: number;
  readonly testSamples: number;
  readonly engine: string;
  /** Exact: the same weights on every fleet. Approximate: equal within a tolerance. */
  readonly arithmetic: Arithmetic;
  /** Where the engine comes from, or why there is no native code. */
  readonly engineNote?: string;
  readonly threads: number;
  readonly batch: number;
  readonly epochs: number;
  /** Steps in all, if nothing ends the run before. */
  readonly steps: number;
  readonly seed: number;
  /** How training images are changed, as `--augment` takes it; if they are. */
  readonly augment?: string;
  /** Steps that were taken before, if the run is resumed. */
  readonly resumedStep?: number;
  /** Where workers can join, if the run listens: `ws://host:port`. */
  readonly url?: string;
}

export interface EpochEvent {
  readonly event: 'epoch';
  /** From 1. */
  readonly epoch: number;
  /** Steps taken so far. */
  readonly step: number;
  /** Mean over the samples trained on since the epoch event before. */
  readonly trainLoss: number;
  /** Of 1, while training. */
  readonly trainAccuracy: number;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly seconds: number;
  readonly samplesPerSecond: number;
  /** What the run has cost so far. */
  readonly cost: Omit<RunCost, 'workers'>;
}

/**
 * joined, left: its connection. lost: it is not waited for any longer; back: it is again. spare: it
 * gets no share of the steps for now; working: it gets one again.
 */
export type WorkerAction = 'joined' | 'left' | 'lost' | 'back' | 'spare' | 'working';

export interface WorkerEvent {
  readonly event: 'worker';
  readonly action: WorkerAction;
  readonly name: string;
  readonly threads: number;
  /** Remote workers after this that can be counted on. */
  readonly workers: number;
  /** Why it left, is lost, is a spare or has a share again. */
  readonly reason?: string;
}

/** A checkpoint is on the disk. */
export interface CheckpointEvent {
  readonly event: 'checkpoint';
  /** Steps taken. */
  readonly step: number;
}

/** Where the time goes, if that was asked for; before the result. */
export interface ProfileEvent {
  readonly event: 'profile';
  /** Seconds of a step of this run, on average, and its parts. */
  readonly step: {
    readonly seconds: number;
    /** Finding samples in memory or files, and augmenting them: in local threads. */
    readonly gather: number;
    /** Gradients: of the member that took longest, or of the local threads on average. */
    readonly compute: number;
    /** Adding gradients up. */
    readonly reduce: number;
    /** The optimizer's step. */
    readonly update: number;
    /** Handing the weights to workers' connections. */
    readonly broadcast: number;
    /** The rest: sending, receiving, waking up, waiting for others. */
    readonly wait: number;
  };
  /** The most multiplications and additions that one core does, in GFLOP/s; of exact engines. */
  readonly peakGflops?: number;
  /** What a micro-batch's gradients are made of; nothing is known of an approximate engine's. */
  readonly kernels: readonly {
    readonly name: string;
    /** For one micro-batch, in one thread that has a core for itself. */
    readonly microseconds: number;
    /** Of kernels with weights. */
    readonly gflops?: number;
  }[];
}

/** What ended a run before its last step. */
export type LimitName = 'budget' | 'deadline' | 'targetAccuracy';

export interface ResultEvent {
  readonly event: 'result';
  readonly outcome: 'complete' | 'stopped';
  /** The limit that stopped it, if one did. */
  readonly limit?: LimitName;
  /** SHA-256 of the final weights' float32 little-endian bytes in the model's order. */
  readonly weightsSha256: string;
  readonly steps: number;
  /** Samples trained on. */
  readonly samples: number;
  readonly testAccuracy: number;
  readonly testLoss: number;
  readonly validationAccuracy?: number;
  readonly validationLoss?: number;
  /** From the start of the command's work to the end of the last evaluation. */
  readonly wallSeconds: number;
  /** Without start-up and evaluation. */
  readonly trainSeconds: number;
  /** samples / trainSeconds */
  readonly samplesPerSecond: number;
  readonly engine: string;
  /** Approximate if any step of the run was. */
  readonly arithmetic: Arithmetic;
  readonly threads: number;
  /** Remote workers that computed for the run. */
  readonly workers: number;
  /** Answers of workers that came too late, or that nobody had asked for. */
  readonly refusedAnswers: number;
  readonly dataset: string;
  readonly runDir: string;
  readonly cost: RunCost;
  /** What a plan predicted, if the run has one and it knows the fleet that it was. */
  readonly planned?: Planned;
  /** The command that goes on with the run, if it was stopped. */
  readonly resume?: string;
}

/** Where a run stands, for a progress display. */
export interface Progress {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  /** Mean over the samples of the last step. */
  readonly loss: number;
  readonly samplesPerSecond: number;
  /** Remote workers. */
  readonly workers: number;
  readonly secondsLeft: number;
  /** If anything has a price: amounts as decimal strings, at the end if all workers stay. */
  readonly cost?: {
    readonly currency: string;
    readonly spent: string;
    readonly predicted: string;
  };
}
