import type { CoreOptions } from '../../coordinator/core.js';
import {
  type CoreCommand,
  type CoreEvent,
  LOCAL,
  type MemberId,
  type Outcome,
} from '../../coordinator/core-messages.js';
import { AuditedAnswers, sameRange } from './audited-answers.js';
import { AuditedMembers, type AuditedWork, LATEST_TIMER } from './audited-members.js';
import { AuditedSaves } from './audited-saves.js';
import { AuditedSteps } from './audited-steps.js';
import { check } from './check.js';
import type { Answer } from './members.js';

type Commands = readonly CoreCommand<Answer>[];
type Rules = { readonly [T in CoreCommand<Answer>['type']]: (command: Of<T>) => void };
type Of<T> = CoreCommand<Answer> & { type: T };
type Event<T> = CoreEvent<Answer> & { type: T };

/** A command that must follow from an event, and what to say if it does not. */
interface Needed {
  readonly type: CoreCommand<Answer>['type'];
  readonly objection: string;
}

/**
 * Watches what the core is told and what it wants during one life of the coordinator, and objects
 * to what must not be.
 */
export class Audit {
  readonly #options: CoreOptions;
  readonly #members = new AuditedMembers();
  readonly #steps: AuditedSteps;
  readonly #saves: AuditedSaves;
  readonly #answers = new AuditedAnswers();
  #now = 0;
  /** When the lease began; since when the next step could begin. */
  #leaseSince = 0;
  #restSince = 0;
  #outcome: Outcome | undefined;
  /** When the budget was last seen not to be used up. */
  #affordableAt = Infinity;
  /** What the run had cost when its last step began, and what that step cost, its evaluation too. */
  #spentBefore = 0n;
  #stepCost = 0n;
  /** How often a range was given to somebody while another was at work on it. */
  shared = 0;

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#steps = new AuditedSteps(options);
    this.#saves = new AuditedSaves(options);
  }

  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /** An event and what the core wants because of it. */
  watch(event: CoreEvent<Answer>, now: number, commands: Commands): void {
    this.#now = now;
    this.#checkIdle(({ lateAt }) => now > lateAt + LATEST_TIMER);
    if (this.#outcome === undefined) this.#members.checkStuck(now);
    const needed = this.#note(event, commands);
    const over = this.#outcome !== undefined;
    for (const command of commands) {
      const allowed = this.#outcome === undefined || command.type === 'discard';
      check(allowed, `${command.type} after the end`);
      (this.#rules[command.type] as (command: CoreCommand<Answer>) => void)(command);
    }
    this.#answers.settle();
    for (const { type, objection } of over ? [] : needed) {
      const followed = commands.some((command) => command.type === type);
      check(followed, objection);
    }
    this.#checkIdle(({ lateAt }) => event.type === 'timer' && now > lateAt);
    const { atRest, stopping } = this.#steps;
    const deserted = stopping && atRest && this.#members.present.length === 0;
    this.#checkLimits();
    check(!deserted || this.#outcome !== undefined, 'nobody can end the step, and the run goes on');
  }

  #note(event: CoreEvent<Answer>, commands: Commands): Needed[] {
    switch (event.type) {
      case 'joined':
        this.#members.join(event.member, event.profile);
        return [];
      case 'left':
        this.#members.leave(event.member);
        return [];
      case 'silent':
        return this.#members.silent(event.member)
          ? [{ type: 'lost', objection: `silent member ${event.member} is waited for` }]
          : [];
      case 'heard':
        return this.#members.heard(event.member, this.#now, isReturn(commands))
          ? [backNeeded(event.member)]
          : [];
      case 'computed':
        return this.#noteComputed(event);
      case 'checked':
        return this.#noteChecked(event);
      case 'updated':
        this.#take(1, event.finite);
        return [];
      case 'leased':
        this.#members.measureLease(
          event.steps * this.#steps.microBatches,
          this.#now - this.#leaseSince,
        );
        this.#take(event.steps, event.finite);
        return [];
      case 'evaluated':
        this.#steps.phase = 'between steps';
        this.#restSince = this.#now;
        this.#stepCost = this.#spent - this.#spentBefore;
        return [];
      case 'save': {
        const now = this.#saves.ask(this.#steps.step) && this.#steps.atRest;
        return now ? [{ type: 'save', objection: 'no checkpoint where one was asked for' }] : [];
      }
      case 'stop':
        this.#steps.stop();
        return [];
      case 'timer':
        return [];
    }
  }

  #noteComputed({ member: id, step, range, pieces }: Event<'computed'>): Needed[] {
    this.#answers.bring(pieces);
    const member = this.#members.get(id);
    const work = member?.work;
    if (!member || work?.step !== step || !sameRange(work.range, range)) return [];
    this.#members.answered(member, work, this.#now);
    const needed = member.lost && !member.silent ? [backNeeded(id)] : [];
    if (work.probe || !this.#steps.isRunning(step)) return needed;
    const believed = pieces.finite || member.local;
    if (believed) this.#answers.allow();
    if (work.lost || this.#steps.timesCounted(range) > 0) return needed;
    const objection = `the answer that member ${id} was asked for was not taken`;
    return [...needed, { type: believed ? 'reduce' : 'check', objection }];
  }

  #noteChecked(event: Event<'checked'>): Needed[] {
    const { member, step, pieces, finite } = event;
    this.#answers.bring(pieces);
    this.#steps.closeCheck(event);
    const current = this.#steps.isRunning(step);
    if (current && finite) this.#answers.allow();
    if (current && !finite) {
      this.#steps.fail();
      return [{ type: 'finish', objection: 'the run goes on with a sum that is not finite' }];
    }
    return finite && this.#members.get(member)
      ? [{ type: 'expel', objection: `member ${member} has lied, and is kept` }]
      : [];
  }

  #take(steps: number, finite: boolean): void {
    this.#steps.take(steps, finite);
    this.#stepCost = this.#spent - this.#spentBefore;
    this.#restSince = this.#now;
  }

  /** Nothing may be left open while somebody is idle. */
  #checkIdle(isLate: (work: AuditedWork) => boolean): void {
    const { phase, step } = this.#steps;
    if (this.#outcome !== undefined || (phase !== 'step' && phase !== 'between steps')) return;
    const idle = this.#members.present.find(({ work }) => work === undefined);
    if (!idle) return;
    const leaf = this.#steps.openLeaf(this.#members.ranges(step, isLate));
    check(leaf === undefined, `micro-batch ${leaf} is left open while member ${idle.id} is idle`);
  }

  /** A run that waits for members does not wait for ever. */
  #checkLimits(): void {
    if (this.#outcome !== undefined) return;
    const { atRest } = this.#steps;
    const late = this.#now > this.#deadline + LATEST_TIMER && atRest;
    check(!late, 'the deadline is over, and the run goes on');
    if (this.#isAffordable) this.#affordableAt = this.#now;
    const dear = this.#now > this.#affordableAt + LATEST_TIMER && atRest;
    check(!dear, 'the budget is used up, and the run goes on');
  }

  /** Nothing is paid after the end of the step in which the budget is used up. */
  #checkCost(stepUnderWay: boolean): void {
    if (this.#budget === null) return;
    const step = stepUnderWay ? this.#spent - this.#spentBefore : this.#stepCost;
    const most = this.#budget + step;
    check(this.#spent <= most, `the run costs ${this.#spent}, and may cost ${most} at most`);
  }

  get #isAffordable(): boolean {
    return this.#budget === null || this.#spent <= this.#budget;
  }

  get #budget(): bigint | null {
    return this.#options.limits?.budget ?? null;
  }

  get #spent(): bigint {
    return this.#options.ledger?.spent(this.#now) ?? 0n;
  }

  get #deadline(): number {
    return this.#options.limits?.deadline ?? Infinity;
  }

  /** Somebody is given work, or what it takes: a step begins if it has not yet. */
  #compute(step: number): void {
    if (this.#steps.phase === 'gathering') {
      const { startWith } = this.#options;
      const { remotes } = this.#members;
      check(remotes >= startWith, `begins with ${remotes} workers instead of ${startWith}`);
      this.#restSince = this.#now;
    }
    this.#steps.compute(step);
    if (this.#steps.phase === 'step') return;
    check(this.#now < this.#deadline, `step ${step} begins after the deadline`);
    check(this.#isAffordable, `step ${step} begins although the budget is used up`);
    this.#spentBefore = this.#spent;
    this.#saves.begin(step, this.#restSince, this.#now);
    this.#steps.phase = 'step';
  }

  readonly #rules: Rules = {
    sendWeights: ({ step, members }) => {
      this.#compute(step);
      for (const id of members) this.#members.sendWeights(id, step);
    },
    assign: ({ member, step, range, probe }) => {
      this.#compute(step);
      const { first, last } = range;
      const { microBatches } = this.#steps;
      const inside = first >= 0 && first < last && last <= microBatches;
      check(inside, `an impossible range, [${first}, ${last}) of ${microBatches}`);
      check(probe || this.#steps.timesCounted(range) === 0, 'work that is already done');
      if (!probe && this.#members.isAtWork(step, range)) this.shared += 1;
      this.#members.assign(member, { step, range, probe }, this.#now);
    },
    lease: ({ step, steps }) => {
      check(this.#steps.phase !== 'step', 'a lease in the middle of a step');
      this.#compute(step);
      const local = this.#members.expect(LOCAL, 'a lease');
      check(local.work === undefined, 'a lease while the local threads are busy');
      this.#steps.lease(step, steps, this.#saves.longestLease(step));
      this.#leaseSince = this.#now;
    },
    reduce: ({ range, pieces }) => {
      const { step } = this.#steps;
      check(pieces.step === step, `pieces of step ${pieces.step} in step ${step}`);
      this.#answers.reduce(pieces, range, () => {
        this.#steps.count(range);
      });
    },
    discard: ({ pieces }) => {
      this.#answers.discard(pieces);
    },
    check: ({ member, step, range }) => {
      this.#members.expect(member, 'a check');
      this.#steps.openCheck({ member, step, range });
    },
    expel: ({ member }) => {
      this.#members.expect(member, 'the end');
      this.#members.leave(member);
    },
    release: ({ member }) => {
      const { work, spare, local } = this.#members.expect(member, 'a release');
      check(work === undefined && spare && !local, `member ${member} is released, but needed`);
      check(this.#options.fleet?.releaseIdle === true, 'a release that nobody asked for');
      this.#members.leave(member);
    },
    update: ({ step }) => {
      this.#steps.update(step);
    },
    evaluate: ({ epoch }) => {
      this.#steps.evaluate(epoch);
    },
    save: ({ step }) => {
      const { atRest, step: taken } = this.#steps;
      check(step === taken, `a checkpoint of step ${step} after step ${taken}`);
      check(atRest, 'a checkpoint of weights that are not at rest');
      this.#saves.save(step, this.#now);
    },
    lost: ({ member, why }) => {
      this.#members.lost(member, why, this.#now);
    },
    back: ({ member }) => {
      this.#members.back(member);
    },
    standing: ({ member, spare }) => {
      this.#members.standing(member, spare, this.#now);
    },
    timer: ({ at }) => {
      check(at >= this.#now && at < Infinity, `a timer for ${at} at ${this.#now}`);
    },
    wait: () => {
      const { remotes, present } = this.#members;
      const gathering = this.#steps.phase === 'gathering' && remotes < this.#options.startWith;
      check(gathering || present.length === 0, 'waits although somebody can compute');
      check(!this.#steps.stopping, 'waits although the run is to stop');
    },
    finish: ({ outcome, limit }) => {
      const ended = limit !== undefined;
      check(!ended || this.#options.limits !== undefined, `the run has no ${limit}`);
      const underWay = this.#steps.phase === 'step';
      this.#steps.finish(outcome, ended, this.#members.present.length > 0);
      if (outcome !== 'notFinite') this.#saves.finish(this.#steps.step);
      this.#checkCost(underWay);
      this.#outcome = outcome;
    },
  };
}

function backNeeded(id: MemberId): Needed {
  return { type: 'back', objection: `member ${id} is there again, and is not taken back` };
}

function isReturn(commands: Commands): boolean {
  return commands.some(({ type }) => type === 'back');
}
