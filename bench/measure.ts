import type { BenchConfig } from '../src/config/bench-options.js';
import { type StepPhases, stepPhases, subtractPhases } from '../src/threads/phases.js';
import type { Configuration } from './plan.js';
import { type Mark, type RunListeners, type RunPlan, withRun } from './run.js';

/** What one run gave. */
export interface Measurement {
  readonly configuration: Configuration;
  readonly samplesPerSecond: number;
  readonly step: StepPhases;
  /** Bytes of a step's messages; none where there is no network. */
  readonly bytes: { readonly sent: number; readonly received: number } | null;
  readonly spares: number;
  readonly weightsSha256: string;
  readonly engine: string;
  readonly engineNote: string;
  readonly dataset: string;
}

/**
 * Trains a configuration from the first weights on and measures the steps after its warm-up.
 * @throws the signal's reason if that is aborted, DtrainError for what a training can fail with
 */
export async function measure(
  config: BenchConfig,
  plan: RunPlan,
  listeners: RunListeners,
): Promise<Measurement> {
  const { configuration } = plan;
  const { warmUpSteps } = configuration;
  return withRun(config, plan, listeners, async (run) => {
    let before: Mark | undefined;
    run.onSave = (step, progress) => {
      if (step === warmUpSteps) before = run.mark(progress);
    };
    const { steps, samples, trainSeconds } = await run.train();
    const after = run.mark({ samples, trainSeconds });
    if (!before) throw new Error('The run had no end of its warm-up.');
    return { configuration, ...run.about(), ...between(before, after, steps - warmUpSteps) };
  });
}

/** Samples per second of a configuration that trains for about so many seconds. */
export async function measureRoughly(
  config: BenchConfig,
  configuration: Configuration,
  seconds: number,
  listeners: RunListeners,
): Promise<number> {
  return withRun(config, { configuration, comeBack: false }, listeners, async (run) => {
    run.stopAfter(seconds);
    const { samples, trainSeconds } = await run.train();
    return samples / trainSeconds;
  });
}

function between(before: Mark, after: Mark, steps: number) {
  const seconds = after.seconds - before.seconds;
  const step = stepPhases(subtractPhases(after.phases, before.phases), seconds, steps);
  const bytes = {
    sent: (after.sent - before.sent) / steps,
    received: (after.received - before.received) / steps,
  };
  return {
    samplesPerSecond: (after.samples - before.samples) / seconds,
    step,
    bytes: bytes.sent > 0 ? bytes : null,
  };
}
