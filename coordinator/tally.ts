import { batchOf, type BatchPlan, stepsPerEpoch } from '../src/data/batches.js';
import type { EpochEvent, Progress } from '../src/events.js';
import type { Evaluation } from '../src/threads/evaluation.js';
import type { StepSums } from '../src/threads/pool.js';
import { Stopwatch } from './stopwatch.js';

/** What a run has done so far, beside its weights. Seconds are of training alone. */
export interface RunProgress {
  readonly samples: number;
  readonly trainSeconds: number;
  /** Of the epoch under way: sums, and the seconds at which it began. */
  readonly epoch: {
    readonly loss: number;
    readonly correct: number;
    readonly samples: number;
    readonly seconds: number;
  };
}

export const NOTHING_DONE: RunProgress = {
  samples: 0,
  trainSeconds: 0,
  epoch: { loss: 0, correct: 0, samples: 0, seconds: 0 },
};

/** Counts steps, samples and time. */
export class Tally {
  /** Runs while the run trains. */
  readonly training: Stopwatch;
  readonly #plan: BatchPlan;
  readonly #totalSteps: number;
  #steps: number;
  #samples: number;
  #epoch: { loss: number; correct: number; samples: number; seconds: number };

  /** @param before what was done in the `firstStep` steps before */
  constructor(plan: BatchPlan, totalSteps: number, firstStep: number, before: RunProgress) {
    this.#plan = plan;
    this.#totalSteps = totalSteps;
    this.#steps = firstStep;
    this.#samples = before.samples;
    this.training = new Stopwatch(before.trainSeconds);
    this.#epoch = { ...before.epoch };
  }

  get steps(): number {
    return this.#steps;
  }

  /** What is done; a copy. */
  get progress(): RunProgress {
    const trainSeconds = this.training.seconds;
    return { samples: this.#samples, trainSeconds, epoch: { ...this.#epoch } };
  }

  add(steps: readonly StepSums[]): void {
    for (const { step, loss, correct } of steps) {
      const { samples } = batchOf(this.#plan, step);
      this.#samples += samples;
      this.#epoch.samples += samples;
      this.#epoch.loss += loss;
      this.#epoch.correct += correct;
    }
    this.#steps += steps.length;
  }

  /** How the run stands after the step that `last` is of. */
  standing(last: StepSums, workers: number): Progress {
    const { samples, epoch } = batchOf(this.#plan, last.step);
    const samplesPerSecond = this.#samples / this.training.seconds;
    const stepsLeft = this.#totalSteps - last.step - 1;
    return {
      epoch: epoch + 1,
      epochs: Math.ceil(this.#totalSteps / stepsPerEpoch(this.#plan)),
      step: last.step + 1,
      steps: this.#totalSteps,
      loss: last.loss / samples,
      samplesPerSecond,
      workers,
      secondsLeft: (stepsLeft * this.#plan.batch) / samplesPerSecond,
    };
  }

  /** Ends an epoch (from 0), and begins to count the next one. */
  endEpoch(
    epoch: number,
    test: Evaluation,
    validation: Evaluation | undefined,
  ): Omit<EpochEvent, 'cost'> {
    const { samples, loss, correct } = this.#epoch;
    const seconds = this.training.seconds - this.#epoch.seconds;
    this.#epoch = { loss: 0, correct: 0, samples: 0, seconds: this.training.seconds };
    return {
      event: 'epoch',
      epoch: epoch + 1,
      step: this.#steps,
      trainLoss: loss / samples,
      trainAccuracy: correct / samples,
      ...(validation && {
        validationLoss: validation.loss,
        validationAccuracy: validation.accuracy,
      }),
      testLoss: test.loss,
      testAccuracy: test.accuracy,
      seconds,
      samplesPerSecond: samples / seconds,
    };
  }
}
