import { trainRun } from '../coordinator/train.js';
import { openResumed } from '../coordinator/resume.js';
import { resolveTrain } from './config/resolve.js';
import type { Overridable, TrainConfig } from './config/types.js';
import type { RunEvent } from './events.js';

export { DtrainError, type ErrorCode } from './errors.js';
export type {
  CheckpointEvent,
  EpochEvent,
  ProfileEvent,
  ResultEvent,
  RunEvent,
  StartEvent,
  WorkerEvent,
} from './events.js';

/** What `dtrain train` takes, by the same names and with the same defaults. */
export interface TrainOptions extends Partial<Omit<TrainConfig, 'json' | 'quiet' | 'verbose'>> {
  /** The folder of a run that is to go on; what it trains with is then its own. */
  readonly resume?: string;
  /** Settings that a resumed run may change. */
  readonly override?: readonly Overridable[];
  /** Ends the run after the current step; the model and a checkpoint are saved. */
  readonly signal?: AbortSignal;
  /** Takes sentences for people: where the data came from, what is waited for. */
  readonly onNotice?: (sentence: string) => void;
}

/**
 * Trains as `dtrain train` does and yields its events; the last is the `result`. Leaving the loop
 * early ends the run after its current step. Environment variables are not read.
 * @throws DtrainError for anything that `dtrain train` reports as an error
 */
export async function* train(options: TrainOptions = {}): AsyncGenerator<RunEvent, void, void> {
  const { signal, onNotice, ...settings } = options;
  const sources = { flags: given(settings), env: {} };
  const resumed = await openResumed(sources);
  const config = await resolveTrain(sources, resumed?.saved);
  const leave = new AbortController();
  const events: RunEvent[] = [];
  let wake: () => void = () => undefined;
  const status = { over: false };
  const listeners = {
    signal: signal ? AbortSignal.any([signal, leave.signal]) : leave.signal,
    onEvent: (event: RunEvent) => {
      events.push(event);
      wake();
    },
    ...(onNotice && { onNotice }),
  };
  const run = trainRun(config, listeners, resumed).finally(() => {
    status.over = true;
    wake();
  });
  // Reported below, once the events before it have been yielded.
  run.catch(() => undefined);
  try {
    for (;;) {
      const event = events.shift();
      if (event) yield event;
      else if (status.over) break;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    await run;
  } finally {
    leave.abort();
    await run.catch(() => undefined);
  }
}

/** Without the options that are left to their defaults. */
function given(settings: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined && value !== null),
  );
}
