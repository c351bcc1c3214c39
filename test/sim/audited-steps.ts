import type { CoreOptions } from '../../coordinator/core.js';
import type { MemberId, Outcome } from '../../coordinator/core-messages.js';
import type { MicroBatchRange } from '../../coordinator/ranges.js';
import { batchOf, stepsPerEpoch } from '../../src/data/batches.js';
import { check } from './check.js';

type Phase = 'gathering' | 'between steps' | 'step' | 'lease' | 'update' | 'evaluation';

interface OpenCheck {
  readonly member: MemberId;
  readonly step: number;
  readonly range: MicroBatchRange;
}

/** What a run is at, and which micro-batches of its step were counted. */
export class AuditedSteps {
  readonly #options: CoreOptions;
  phase: Phase = 'gathering';
  step = 0;
  /** How often each micro-batch of the step was counted. */
  #counted: number[] = [];
  #checks: readonly OpenCheck[] = [];
  #stoppedAt: number | undefined;
  #notFinite = false;
  #evaluationDue = false;
  #nextEpoch: number;

  constructor(options: CoreOptions) {
    const { firstStep, plan } = options;
    this.#options = options;
    this.#nextEpoch = Math.floor(firstStep / stepsPerEpoch(plan));
    this.#setStep(firstStep);
  }

  get microBatches(): number {
    return this.#counted.length;
  }

  get stopping(): boolean {
    return this.#stoppedAt !== undefined;
  }

  get notFinite(): boolean {
    return this.#notFinite;
  }

  /** Whether weights and optimizer state stay as they are. */
  get atRest(): boolean {
    return ['gathering', 'between steps', 'step'].includes(this.phase) && !this.#notFinite;
  }

  isRunning(step: number): boolean {
    return this.phase === 'step' && step === this.step;
  }

  stop(): void {
    this.#stoppedAt ??= this.step;
  }

  take(steps: number, finite: boolean): void {
    if (!finite) {
      this.fail();
      return;
    }
    const { plan, totalSteps } = this.#options;
    this.#setStep(this.step + steps);
    this.phase = 'between steps';
    this.#evaluationDue = this.step % stepsPerEpoch(plan) === 0 || this.step === totalSteps;
  }

  /** Values are not finite, and that is certain. */
  fail(): void {
    this.#notFinite = true;
  }

  /** Somebody is given work, or what it takes. */
  compute(step: number): void {
    check(step === this.step, `step ${step} is not the current one, ${this.step}`);
    check(step < this.#options.totalSteps, 'the run has no such step');
    check(this.phase !== 'lease', 'work for others during a lease');
    check(this.phase !== 'update', 'the step is already over');
    check(!this.#evaluationDue, 'an epoch was not evaluated');
    check(!this.#notFinite, 'the run goes on with weights that are not finite');
    check(this.#stoppedAt === undefined || step <= this.#stoppedAt, 'a step began after the stop');
  }

  /** @param most steps until a checkpoint is due */
  lease(step: number, steps: number, most: number): void {
    const { plan, totalSteps, longestLease } = this.#options;
    const epochEnd = (Math.floor(step / stepsPerEpoch(plan)) + 1) * stepsPerEpoch(plan);
    const left = Math.min(longestLease, most, Math.min(epochEnd, totalSteps) - step);
    check(steps >= 1 && steps <= left, `a lease of ${steps} steps where 1 to ${left} are left`);
    this.phase = 'lease';
  }

  timesCounted({ first, last }: MicroBatchRange): number {
    return Math.max(...this.#counted.slice(first, last));
  }

  count(range: MicroBatchRange): void {
    for (let leaf = range.first; leaf < range.last; leaf++) {
      this.#counted[leaf] = (this.#counted[leaf] ?? NaN) + 1;
      check(this.#counted[leaf] === 1, `micro-batch ${leaf} of step ${this.step} counted twice`);
    }
  }

  /** A range is computed by the coordinator too. */
  openCheck(opened: OpenCheck): void {
    const { step } = opened;
    check(this.isRunning(step), `step ${step} is checked, but its weights are gone`);
    this.#checks = [...this.#checks, opened];
  }

  closeCheck({ member, step, range: { first, last } }: OpenCheck): void {
    this.#checks = this.#checks.filter(({ range, ...other }) => {
      const same = other.member === member && other.step === step;
      return !same || range.first !== first || range.last !== last;
    });
  }

  /** A micro-batch that is not counted, that is in none of these ranges and that nobody checks. */
  openLeaf(ranges: readonly MicroBatchRange[]): number | undefined {
    const covered = this.#counted.slice();
    const checked = this.#checks.filter(({ step }) => step === this.step);
    for (const range of [...ranges, ...checked.map((each) => each.range)]) {
      // Answers are counted whole or not at all.
      if (this.timesCounted(range) === 0) covered.fill(1, range.first, range.last);
    }
    const leaf = covered.indexOf(0);
    return leaf === -1 ? undefined : leaf;
  }

  update(step: number): void {
    check(this.isRunning(step), `an update of step ${step} out of turn`);
    const missing = this.#counted.indexOf(0);
    check(missing === -1, `step ${step} ends without micro-batch ${missing}`);
    this.phase = 'update';
  }

  evaluate(epoch: number): void {
    const due = this.#evaluationDue && epoch === this.#nextEpoch;
    check(due, `evaluation of epoch ${epoch} out of turn`);
    this.#evaluationDue = false;
    this.#nextEpoch += 1;
    this.phase = 'evaluation';
  }

  /** @param ended by a limit, whatever it was at */
  finish(outcome: Outcome, ended: boolean, somebodyIsThere: boolean): void {
    check(!this.#evaluationDue, 'an epoch was not evaluated');
    if (this.#notFinite) check(outcome === 'notFinite', 'a run that is not finite must fail');
    else if (this.step === this.#options.totalSteps) {
      check(outcome === 'complete', 'all steps were taken');
    } else check(outcome === 'stopped' && (this.stopping || ended), `${outcome} too early`);
    const running = !this.#notFinite && !ended && this.phase === 'step' && somebodyIsThere;
    check(!running, 'the run ends in the middle of a step');
  }

  #setStep(step: number): void {
    this.step = step;
    const { microBatches } = batchOf(this.#options.plan, step);
    this.#counted = new Array<number>(microBatches).fill(0);
  }
}
