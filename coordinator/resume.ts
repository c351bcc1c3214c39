import path from 'node:path';
import { overridesOf, resumedRun, type SavedSettings } from '../src/config/resolve.js';
import type { Sources } from '../src/config/settings.js';
import type { Overridable } from '../src/config/types.js';
import { stepsPerEpoch } from '../src/data/batches.js';
import type { Dataset } from '../src/data/dataset.js';
import { type LedgerState, rolledBack } from '../src/cost/ledger.js';
import { DtrainError, reasonOf } from '../src/errors.js';
import { readLedger } from '../src/report/ledger-file.js';
import { isFolder } from '../src/report/run-folder.js';
import { sha256 } from '../src/sha256.js';
import type { Checkpoint } from './checkpoint/file.js';
import { CheckpointStore } from './checkpoint/store.js';
import type { PreparedRun } from './prepare.js';

/** A run that is to go on. */
export interface ResumedRun {
  readonly folder: string;
  readonly checkpoint: Checkpoint;
  /** The settings that it was started with. */
  readonly saved: SavedSettings;
  readonly overrides: readonly Overridable[];
  /** What it has cost, as far as it is known. */
  readonly paid: LedgerState | undefined;
  /** What its user should know, a sentence each. */
  readonly notices: readonly string[];
}

/** The checkpoints in a run's folder. */
export function checkpointsIn(folder: string): CheckpointStore {
  return new CheckpointStore(path.join(folder, 'checkpoints'));
}

/**
 * The run that is to go on, if one is: found by its folder, or by its name in `runs`, with its
 * newest sound checkpoint.
 * @throws DtrainError USAGE if there is no such folder, CHECKPOINT if nothing in it can be used
 */
export async function openResumed(sources: Sources): Promise<ResumedRun | undefined> {
  const place = resumedRun(sources);
  const overrides = overridesOf(sources);
  if (place !== null) return openRun(place, overrides);
  if (overrides.length === 0) return undefined;
  throw new DtrainError(
    'USAGE',
    '--override goes with --resume: a new run has nothing to override.',
  );
}

async function openRun(place: string, overrides: readonly Overridable[]): Promise<ResumedRun> {
  const folder = await findRun(place, "give the run's folder to --resume");
  const notices: string[] = [];
  const checkpoint = await checkpointsIn(folder).newest((sentence) => notices.push(sentence));
  if (!checkpoint) {
    throw new DtrainError(
      'CHECKPOINT',
      `There is no checkpoint in ${folder}, so the run cannot go on: start it anew.`,
    );
  }
  const paid = rolledBack(checkpoint.meta.ledger, await recordedLedger(folder, notices));
  const saved = { path: `the checkpoint of ${folder}`, values: checkpoint.meta.config };
  return { folder, checkpoint, saved, overrides, paid, notices };
}

/** The ledger as it was last written; one that cannot be read costs only what came after the checkpoint. */
async function recordedLedger(folder: string, notices: string[]): Promise<LedgerState | undefined> {
  try {
    return (await readLedger(folder))?.ledger;
  } catch (error) {
    notices.push(`${reasonOf(error)} What was paid after the checkpoint is not known.`);
    return undefined;
  }
}

/**
 * A run's folder, given as such or by its name in `runs`.
 * @param advice what to do if there is none
 * @throws DtrainError USAGE
 */
export async function findRun(place: string, advice = "give the run's folder"): Promise<string> {
  for (const folder of [path.resolve(place), path.resolve('runs', place)]) {
    if (await isFolder(folder)) return folder;
  }
  throw new DtrainError('USAGE', `There is no run ${place}: ${advice}.`);
}

/** What tells one data set from another. */
export function datasetId({ name, files }: Dataset): { name: string; sha256: string } {
  return { name, sha256: sha256(Buffer.from(JSON.stringify(files.map((file) => file.sha256)))) };
}

/**
 * Puts a checkpoint's weights and optimizer state in place.
 * @returns the steps taken: as many epochs as before, should epochs have other lengths now
 * @throws DtrainError USAGE if data or steps are not the run's, CHECKPOINT if the model is not
 */
export function restore(
  { checkpoint, overrides }: ResumedRun,
  { pool, model, modelSha256, dataset, plan, totalSteps }: PreparedRun,
  onNotice: (sentence: string) => void,
): number {
  const { meta, weights, state } = checkpoint;
  const data = datasetId(dataset);
  if (data.sha256 !== meta.dataset.sha256 && !overrides.includes('data')) {
    throw new DtrainError(
      'USAGE',
      `The data is ${data.name} from ${dataset.source}, which is not the ${meta.dataset.name} that the run trained on: give that with --data or --data-dir, or add --override data.`,
    );
  }
  if (meta.modelSha256 !== undefined && meta.modelSha256 !== modelSha256) {
    const message = `The model ${String(meta.config.model)} is not what it was when the run began: put that back, or train the new one in a run of its own.`;
    throw new DtrainError('CHECKPOINT', message);
  }
  if (weights.length !== model.parameterCount) {
    const message = `The checkpoint has ${weights.length} weights, and ${model.spec.name} has ${model.parameterCount}.`;
    throw new DtrainError('CHECKPOINT', message);
  }
  const step = Math.floor((meta.step * stepsPerEpoch(plan)) / meta.stepsPerEpoch);
  if (step > totalSteps) {
    const message = `The run has taken ${step} steps already, more than the ${totalSteps} that it is to have: raise --epochs or --steps.`;
    throw new DtrainError('USAGE', message);
  }
  pool.weights.set(weights);
  if (state.length === pool.state.length) pool.state.set(state);
  else onNotice('The optimizer is another than before, so it begins without a memory.');
  return step;
}
