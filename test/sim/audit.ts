import type { CoreCommand, CoreEvent, MemberId, Outcome } from '../../coordinator/core-messages.js';
import type { MicroBatchRange } from '../../coordinator/ranges.js';
import { batchOf, stepsPerEpoch } from '../../src/data/batches.js';
import type { TreeNode } from '../../src/reduce/tree.js';
import type { Values } from '../reduce/fake-sums.js';
import type { Scenario } from './scenario.js';

/** An answer's pieces, each a sum of a subtree. */
export interface Answer {
  readonly step: number;
  readonly range: MicroBatchRange;
  readonly pieces: readonly { readonly node: TreeNode; readonly values: Values }[];
}

interface Known {
  readonly local: boolean;
  /** The step whose weights it was last sent. */
  weights: number | undefined;
  work: MicroBatchRange | undefined;
}

type Rules = { readonly [T in CoreCommand<Answer>['type']]: (command: Of<T>) => void };
type Of<T> = CoreCommand<Answer> & { type: T };

/** Watches what the core is told and what it wants, and objects to what must not be. */
export class Audit {
  readonly #scenario: Scenario;
  readonly #members = new Map<MemberId, Known>();
  /** Answers that the core has neither taken nor discarded yet. */
  readonly #open = new Set<Answer>();
  #step = 0;
  #begun = false;
  /** How often each micro-batch of the step was counted. */
  #counted: number[] = [];
  #summed = false;
  #evaluationDue: number | undefined;
  #stoppedAt: number | undefined;
  #notFinite = false;
  #outcome: Outcome | undefined;
  /** Epochs in the order in which they were evaluated. */
  readonly evaluated: number[] = [];

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#beginStep(0);
  }

  /** Steps that were taken. */
  get steps(): number {
    return this.#step;
  }

  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** An event and what the core wants because of it. */
  watch(event: CoreEvent<Answer>, commands: readonly CoreCommand<Answer>[]): void {
    const useful = event.type === 'computed' && this.#isUseful(event);
    this.#before(event);
    for (const command of commands) {
      check(
        this.#outcome === undefined || command.type === 'discard',
        `${command.type} after the end`,
      );
      (this.#rules[command.type] as (command: CoreCommand<Answer>) => void)(command);
    }
    check(this.#open.size === 0, 'an answer was neither taken nor discarded');
    if (useful) {
      const taken = commands.some(({ type }) => type === 'reduce');
      check(taken, `the answer that member ${event.member} was asked for was not taken`);
    }
  }

  #isUseful({ member, step, range }: CoreEvent<Answer> & { type: 'computed' }): boolean {
    const work = this.#members.get(member)?.work;
    const asked = step === this.#step && work?.first === range.first && work.last === range.last;
    return asked && this.#outcome === undefined && this.#timesCounted(range) === 0;
  }

  #before(event: CoreEvent<Answer>): void {
    switch (event.type) {
      case 'joined':
        this.#members.set(event.member, {
          local: event.profile.local,
          weights: undefined,
          work: undefined,
        });
        return;
      case 'left':
        this.#members.delete(event.member);
        return;
      case 'computed': {
        this.#open.add(event.pieces);
        const member = this.#members.get(event.member);
        if (member && this.#isUseful(event)) member.work = undefined;
        return;
      }
      case 'updated':
        this.#taken(1, event.finite);
        return;
      case 'leased':
        this.#taken(event.steps, event.finite);
        return;
      case 'stop':
        this.#stoppedAt ??= this.#step;
        return;
      case 'evaluated':
        return;
    }
  }

  #taken(steps: number, finite: boolean): void {
    if (!finite) {
      this.#notFinite = true;
      return;
    }
    const { plan, totalSteps } = this.#scenario;
    this.#beginStep(this.#step + steps);
    const { epoch } = batchOf(plan, this.#step - 1);
    const ends = this.#step % stepsPerEpoch(plan) === 0 || this.#step === totalSteps;
    this.#evaluationDue = ends ? epoch : undefined;
  }

  #beginStep(step: number): void {
    this.#step = step;
    this.#summed = false;
    const { microBatches } = batchOf(this.#scenario.plan, step);
    this.#counted = new Array<number>(microBatches).fill(0);
  }

  get #remotes(): number {
    return [...this.#members.values()].filter(({ local }) => !local).length;
  }

  #timesCounted({ first, last }: MicroBatchRange): number {
    return Math.max(...this.#counted.slice(first, last));
  }

  #mayCompute(step: number): void {
    const enough = this.#begun || this.#remotes >= this.#scenario.startWith;
    check(enough, `begins with ${this.#remotes} workers instead of ${this.#scenario.startWith}`);
    this.#begun = true;
    check(step === this.#step, `step ${step} is not the current one, ${this.#step}`);
    check(step < this.#scenario.totalSteps, 'the run has no such step');
    check(!this.#summed, 'the step is already over');
    check(this.#evaluationDue === undefined, `epoch ${this.#evaluationDue} was not evaluated`);
    check(!this.#notFinite, 'the run goes on with weights that are not finite');
    check(this.#stoppedAt === undefined || step <= this.#stoppedAt, 'a step began after the stop');
  }

  readonly #rules: Rules = {
    sendWeights: ({ step, members }) => {
      this.#mayCompute(step);
      for (const id of members) {
        const member = this.#members.get(id);
        check(member !== undefined, `weights for member ${id}, who is not there`);
        if (!member) continue;
        check(!member.local, 'weights for the local threads');
        check(member.weights !== step, `weights for member ${id} a second time`);
        member.weights = step;
      }
    },
    assign: ({ member: id, step, range }) => {
      this.#mayCompute(step);
      const { first, last } = range;
      const inside = first >= 0 && first < last && last <= this.#counted.length;
      check(inside, `an impossible range, [${first}, ${last}) of ${this.#counted.length}`);
      check(this.#timesCounted(range) === 0, 'work that is already done');
      const member = this.#members.get(id);
      check(member !== undefined, `work for member ${id}, who is not there`);
      if (!member) return;
      check(member.work === undefined, `more work for member ${id}, who is still busy`);
      check(member.local || member.weights === step, `member ${id} lacks the step's weights`);
      member.work = range;
    },
    lease: ({ step, steps }) => {
      this.#mayCompute(step);
      check(this.#stoppedAt === undefined, 'a lease began after the stop');
      const members = [...this.#members.values()];
      check(members.length === 1 && members[0]?.local === true, 'a lease while others are there');
      const { plan, totalSteps, longestLease } = this.#scenario;
      const epochEnd = (Math.floor(step / stepsPerEpoch(plan)) + 1) * stepsPerEpoch(plan);
      const most = Math.min(longestLease, epochEnd - step, totalSteps - step);
      check(steps >= 1 && steps <= most, `a lease of ${steps} steps where 1 to ${most} are left`);
    },
    reduce: ({ range, pieces }) => {
      check(this.#open.delete(pieces), 'pieces that nobody has just sent');
      check(pieces.step === this.#step, `pieces of step ${pieces.step} in step ${this.#step}`);
      const { first, last } = pieces.range;
      check(first === range.first && last === range.last, 'pieces of another range');
      for (let leaf = first; leaf < last; leaf++) {
        this.#counted[leaf] = (this.#counted[leaf] ?? NaN) + 1;
        check(this.#counted[leaf] === 1, `micro-batch ${leaf} of step ${this.#step} counted twice`);
      }
    },
    discard: ({ pieces }) => {
      check(this.#open.delete(pieces), 'discarded what nobody has just sent');
    },
    update: ({ step }) => {
      check(step === this.#step && !this.#summed, `an update of step ${step} out of turn`);
      const missing = this.#counted.indexOf(0);
      check(missing === -1, `step ${step} ends without micro-batch ${missing}`);
      this.#summed = true;
    },
    evaluate: ({ epoch }) => {
      check(this.#evaluationDue === epoch, `evaluation of epoch ${epoch} out of turn`);
      this.#evaluationDue = undefined;
      this.evaluated.push(epoch);
    },
    wait: () => {
      const gathering = !this.#begun && this.#remotes < this.#scenario.startWith;
      check(gathering || this.#members.size === 0, 'waits although somebody can compute');
      check(this.#stoppedAt === undefined, 'waits although the run is to stop');
    },
    finish: ({ outcome }) => {
      const { totalSteps } = this.#scenario;
      check(this.#evaluationDue === undefined, `epoch ${this.#evaluationDue} was not evaluated`);
      if (this.#notFinite) check(outcome === 'notFinite', 'a run that is not finite must fail');
      else if (this.#step === totalSteps) check(outcome === 'complete', 'all steps were taken');
      else check(outcome === 'stopped' && this.#stoppedAt !== undefined, `${outcome} too early`);
      const busy = [...this.#members.values()].some(({ work }) => work !== undefined);
      check(!busy, 'the run ends in the middle of a step');
      this.#outcome = outcome;
    },
  };
}

function check(holds: boolean, objection: string): void {
  if (!holds) throw new Error(objection);
}
