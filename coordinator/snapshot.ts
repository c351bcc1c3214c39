import type {
  CoordinatorConfig,
  FleetSettings,
  LimitSettings,
  TrainConfig,
} from '../src/config/types.js';
import type { LedgerState } from '../src/cost/ledger.js';
import { stepsPerEpoch } from '../src/data/batches.js';
import { withAbsolutePaths } from '../src/data/description.js';
import type { Checkpoint } from './checkpoint/file.js';
import type { PreparedRun } from './prepare.js';
import { datasetId } from './resume.js';
import type { RunIdentity } from './run-events.js';
import type { RunProgress } from './tally.js';

/** Limits are those of one command: whoever goes on with the run sets others. */
const withoutLimits: Record<keyof LimitSettings | keyof FleetSettings, undefined> = {
  budget: undefined,
  deadline: undefined,
  targetAccuracy: undefined,
  policy: undefined,
  releaseIdle: undefined,
};

/**
 * What a run can be repeated with. Where it wrote to and how it reported are that run's own, and a
 * secret has no place in a folder that people pass on.
 */
export function savedConfig(config: TrainConfig | CoordinatorConfig): Record<string, unknown> {
  const own = { out: undefined, name: undefined, token: undefined, plan: undefined };
  const reports = { json: undefined, quiet: undefined, verbose: undefined, profile: undefined };
  return { ...config, ...own, ...reports, ...withoutLimits };
}

/** A copy of weights and optimizer state, which are at rest after `step` steps, and all about them. */
export function takeCheckpoint(
  { name, arithmetic }: RunIdentity,
  config: TrainConfig | CoordinatorConfig,
  { pool, model, modelSha256, dataset, plan }: PreparedRun,
  step: number,
  progress: RunProgress,
  ledger: LedgerState,
): Checkpoint {
  const weights = pool.weights.slice();
  const state = pool.state.slice();
  const saved = { ...config, ...withAbsolutePaths(config) };
  return {
    meta: {
      run: name,
      step,
      stepsPerEpoch: stepsPerEpoch(plan),
      config: savedConfig(saved),
      arithmetic,
      dataset: datasetId(dataset),
      modelSha256,
      parameters: model.parameterCount,
      stateValues: state.length,
      progress,
      ledger,
    },
    weights,
    state,
  };
}
