import type { Checkpoint, CheckpointMeta } from '../../../coordinator/checkpoint/file.js';
import { randomNumbers } from '../../reference/random.js';

export const FOLDER = '/run/checkpoints';

/** The checkpoint of a step: the same at each call, and another for each step. */
export function checkpointOf(step: number, { parameters = 40, stateValues = 20 } = {}): Checkpoint {
  const next = randomNumbers(step);
  return {
    meta: metaOf(step, parameters, stateValues),
    weights: Float32Array.from({ length: parameters }, () => next() - 0.5),
    state: Float32Array.from({ length: stateValues }, () => next() / 100),
  };
}

function metaOf(step: number, parameters: number, stateValues: number): CheckpointMeta {
  return {
    run: 'lenet5-20261231-235959',
    step,
    stepsPerEpoch: 3752,
    config: { model: 'lenet5', lr: 0.1, schedule: { warmup: 10 }, dataDir: null },
    arithmetic: 'exact',
    dataset: { name: 'mnist', sha256: 'ab'.repeat(32) },
    parameters,
    stateValues,
    progress: {
      samples: 64 * step,
      trainSeconds: step / 3,
      epoch: { loss: 0.1 + step, correct: 7, samples: 64, seconds: 0.25 },
    },
  };
}

/** The name of a step's file. */
export function nameOf(step: number): string {
  return `step-${String(step).padStart(9, '0')}.ckpt`;
}

export function pathOf(step: number): string {
  return `${FOLDER}/${nameOf(step)}`;
}

/** For notices that must not come. */
export function unexpected(sentence: string): never {
  throw new Error(`a notice that should not be: ${sentence}`);
}
