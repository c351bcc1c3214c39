import type { CoreOptions } from '../../coordinator/core.js';
import { stepsPerEpoch } from '../../src/data/batches.js';
import { check } from './check.js';

type SaveOptions = Pick<CoreOptions, 'plan' | 'saveEvery' | 'firstStep'>;

/** Whether checkpoints are asked for when they are due. */
export class AuditedSaves {
  readonly #options: SaveOptions;
  #last: { step: number | undefined; at: number } | undefined;
  #begun = false;
  #asked = false;

  constructor(options: SaveOptions) {
    this.#options = options;
  }

  /** Somebody wants a checkpoint after `step` steps or later; true if there is not one yet. */
  ask(step: number): boolean {
    this.#asked = this.#last?.step !== step;
    return this.#asked;
  }

  save(step: number, now: number): void {
    check(this.#last?.step !== step, `step ${step} is saved a second time`);
    this.#asked = false;
    this.#last = { step, at: now };
  }

  /** A step begins that could begin at `since`: nothing that was due then may be missing. */
  begin(step: number, since: number, now: number): void {
    const { saveEvery, firstStep, plan } = this.#options;
    if (!this.#begun) this.#last = { step: this.#last?.step, at: now };
    this.#begun = true;
    const { step: saved, at = now } = this.#last ?? {};
    const what = (when: string): string => `step ${step} begins without a checkpoint ${when}`;
    if (step === saved || step === firstStep) return;
    check(!this.#asked, what('that was asked for'));
    check(step % stepsPerEpoch(plan) !== 0, what('at the end of the epoch'));
    if ('steps' in saveEvery) {
      check(step - (saved ?? firstStep) < saveEvery.steps, what(`after ${saveEvery.steps} steps`));
    } else check(since - at < saveEvery.seconds, what(`after ${saveEvery.seconds} s`));
  }

  /** @throws Error if the run ends after `step` steps with something unsaved */
  finish(step: number): void {
    const saved = this.#last?.step ?? this.#options.firstStep;
    check(saved === step, `the run ends without a checkpoint of step ${step}`);
  }

  /** Steps that a lease may take at most. */
  longestLease(step: number): number {
    const { saveEvery } = this.#options;
    return 'steps' in saveEvery ? saveEvery.steps - (step % saveEvery.steps) : Infinity;
  }
}
