import type { CoreEvent } from '../../coordinator/core-messages.js';
import type { Price } from '../../src/cost/price.js';
import type { MortalClock } from './clock.js';
import type { Dice } from './dice.js';
import type { FaultLog } from './faults.js';
import type { Answer, RemoteProcess } from './members.js';
import type { Progress } from './progress.js';
import type { Machine, Scenario, Setup } from './scenario.js';

/** What the coordinator is at. */
export type Doing = 'gathering' | 'step' | 'lease' | 'update' | 'evaluation' | 'nothing';

/** What the remote workers live in, during one life of the coordinator. */
export interface World {
  readonly scenario: Scenario;
  readonly setup: Setup;
  readonly dice: Dice;
  readonly clock: MortalClock;
  readonly faults: FaultLog;
  readonly progress: Progress;
  readonly coordinator: () => { readonly step: number; readonly doing: Doing };
  /** Whether the run has money for a worker at this price. */
  readonly isWelcome: (price: Price | null) => boolean;
  readonly tell: (event: CoreEvent<Answer>) => void;
}

/** The coordinator's connections to remote workers. */
export interface Connections {
  has(process: RemoteProcess): boolean;
  /** A worker joins from a machine, unless nobody does any more. */
  open(machine: Machine): void;
  /** The coordinator notices that a worker is gone. */
  close(process: RemoteProcess): void;
  /** Some message of a worker arrives. */
  hear(process: RemoteProcess): void;
}
