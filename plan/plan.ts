import type { Micros } from '../src/cost/money.js';
import type { Coordinator, Job } from './machine.js';
import type { Group, Prediction } from './prediction.js';
import type { Profile } from './probe.js';

/** Where a plan's figures come from. */
export type Source = 'measured' | 'recorded' | 'described' | 'arithmetic';

export interface Plan {
  readonly source: Source;
  /** What is trained; null for a language model. */
  readonly job: Job | null;
  readonly coordinator: Coordinator | null;
  /** The coordinator's own threads, if they may compute, and the workers there are. */
  readonly machines: readonly Group[];
  readonly profile: Profile | null;
  readonly predictions: readonly Prediction[];
  readonly front: ReadonlySet<Prediction>;
  /** Undefined if no fleet does what is wished. */
  readonly choice: Prediction | undefined;
  /** Null if there are no prices. */
  readonly currency: string | null;
  readonly budget: Micros | null;
  /** Seconds. */
  readonly deadline: number | null;
}
