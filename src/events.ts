/** What happens in a run, as `--json` prints it and the library yields it; docs/events.md. */
export type RunEvent = StartEvent | EpochEvent | WorkerEvent | ResultEvent;

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
  readonly threads: number;
  readonly batch: number;
  readonly epochs: number;
  /** Steps in all, if nothing ends the run before. */
  readonly steps: number;
  readonly seed: number;
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
}

export interface WorkerEvent {
  readonly event: 'worker';
  readonly action: 'joined' | 'left';
  readonly name: string;
  readonly threads: number;
  /** Remote workers after this. */
  readonly workers: number;
  /** Why it left. */
  readonly reason?: string;
}

export interface ResultEvent {
  readonly event: 'result';
  readonly outcome: 'complete' | 'stopped';
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
  readonly threads: number;
  /** Remote workers that computed for the run. */
  readonly workers: number;
  readonly dataset: string;
  readonly runDir: string;
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
}
