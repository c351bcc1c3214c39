import type { Checkpoint } from '../../coordinator/checkpoint/file.js';
import { batchOf, stepsPerEpoch } from '../../src/data/batches.js';
import { Reduction } from '../../src/reduce/reduction.js';
import { added, bits, type Values } from '../reduce/fake-sums.js';
import { check } from './check.js';
import {
  firstParameters,
  type Parameters,
  type ReferenceRun,
  updated,
  WIDTH,
} from './fake-model.js';
import { type Answer, answerOf } from './members.js';
import type { Scenario } from './scenario.js';

/** What the coordinator's shell keeps of a run: weights, optimizer state, sums and counts. */
export class Trainer {
  readonly #scenario: Scenario;
  readonly #reference: ReferenceRun;
  #parameters: Parameters;
  #steps = 0;
  #samples = 0;
  #epochSamples = 0;
  #reduction: Reduction<Values> | undefined;

  constructor(scenario: Scenario, reference: ReferenceRun) {
    this.#scenario = scenario;
    this.#reference = reference;
    this.#parameters = firstParameters(scenario.seed);
  }

  get steps(): number {
    return this.#steps;
  }

  get samples(): number {
    return this.#samples;
  }

  get weights(): Values {
    return this.#parameters.weights;
  }

  restore({ meta, weights, state }: Checkpoint): void {
    this.#parameters = { weights, state };
    this.#steps = meta.step;
    this.#samples = meta.progress.samples;
    this.#epochSamples = meta.progress.epoch.samples;
  }

  /** A copy of all that a run needs to go on from here, under the name of a step. */
  checkpoint(step: number): Checkpoint {
    const { weights, state } = this.#parameters;
    const epoch = { loss: 0, correct: 0, samples: this.#epochSamples, seconds: 0 };
    return {
      meta: {
        run: 'simulated',
        step,
        stepsPerEpoch: stepsPerEpoch(this.#scenario.plan),
        config: {},
        arithmetic: 'exact',
        dataset: { name: 'fake', sha256: '' },
        parameters: WIDTH,
        stateValues: WIDTH,
        progress: { samples: this.#samples, trainSeconds: 0, epoch },
      },
      weights: weights.slice(),
      state: state.slice(),
    };
  }

  reduce({ step, pieces }: Answer): void {
    const { microBatches } = batchOf(this.#scenario.plan, step);
    this.#reduction ??= new Reduction(microBatches, added);
    for (const { node, values } of pieces) this.#reduction.take(node, values);
  }

  /** Takes a step; false if its sum is not finite. */
  update(step: number): boolean {
    const { plan, notFinite } = this.#scenario;
    const sum = this.#reduction?.root;
    check(sum !== undefined, `step ${step} has no sum`);
    this.#reduction = undefined;
    this.#parameters = updated(this.#parameters, sum);
    if (step === notFinite?.step) return false;
    this.#steps += 1;
    const { samples } = batchOf(plan, step);
    this.#samples += samples;
    this.#epochSamples += samples;
    const { weights } = this.#reference.after(this.#steps);
    const same = String(bits(weights)) === String(bits(this.weights));
    check(same, `the weights after ${this.#steps} steps are not those of one member alone`);
    return true;
  }

  /** Takes whole steps until one is not finite. */
  lease(first: number, steps: number): { taken: number; finite: boolean } {
    for (let taken = 1; taken <= steps; taken++) {
      const step = first + taken - 1;
      const range = { first: 0, last: batchOf(this.#scenario.plan, step).microBatches };
      this.reduce(answerOf(this.#scenario, step, range, this.weights));
      if (!this.update(step)) return { taken, finite: false };
    }
    return { taken: steps, finite: true };
  }

  endEpoch(epoch: number): void {
    const { plan, totalSteps } = this.#scenario;
    const left = (step: number): number => batchOf(plan, step).epoch;
    let samples = 0;
    for (let step = this.#steps - 1; step >= 0 && left(step) === epoch; step--) {
      samples += batchOf(plan, step).samples;
    }
    check(this.#steps <= totalSteps, 'more steps than the run has');
    check(
      samples === this.#epochSamples,
      `epoch ${epoch} counts ${this.#epochSamples} samples, not ${samples}`,
    );
    this.#epochSamples = 0;
  }
}
