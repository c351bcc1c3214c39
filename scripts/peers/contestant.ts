export interface Measurement {
  readonly samplesPerSecond: number;
  /** Of what was measured, for people. */
  readonly version: string;
}

/** One framework in one configuration. */
export interface Contestant {
  readonly name: string;
  readonly cores: number;
  /** Samples in a step, over all threads, ranks or workers together. */
  readonly batch: number;
  /** Why it cannot be measured here. */
  readonly missing?: string;
  measure(seconds: number): Promise<Measurement>;
}

export interface Surroundings {
  /** Folder with MNIST. */
  readonly data: string;
  /** Folder with the frameworks. */
  readonly peers: string;
  /** Folder for what the runs leave. */
  readonly scratch: string;
}
