import { batchOf, type BatchPlan, stepsPerEpoch } from '../src/data/batches.js';
import type { CoreCommand, CoreEvent, MemberId, MemberProfile, Outcome } from './core-messages.js';
import { blockOf, type MicroBatchRange, splitRange } from './ranges.js';

export interface CoreOptions {
  readonly plan: BatchPlan;
  readonly totalSteps: number;
  /** Remote workers to wait for before the first step. */
  readonly startWith: number;
  readonly longestLease: number;
}

interface Member extends MemberProfile {
  readonly id: MemberId;
  /** Micro-batches a second, once it has answered. */
  rate: number | undefined;
  /** The step whose weights it has. */
  weights: number | undefined;
  work: MicroBatchRange | undefined;
  /** The last step it was given work for. */
  worked: number;
}

/** How long local threads may go on without looking for newcomers, in seconds. */
const LEASE_SECONDS = 0.1;
/** After so many steps without work a member's rate is old news, and it is tried again. */
const RETRY_STEPS = 100;
/** How much a new measurement counts against the ones before. */
const RATE_SHARE = 0.3;

/**
 * The run as a state machine without sockets, threads, clocks or files: events in, commands out.
 * It knows who computes what, and that every micro-batch of every step is counted exactly once.
 */
export class Core<P> {
  readonly #options: CoreOptions;
  readonly #members = new Map<MemberId, Member>();
  #commands: CoreCommand<P>[] = [];
  #state: 'gathering' | 'computing' | 'leasing' | 'updating' | 'evaluating' | 'finished' =
    'gathering';
  #step = 0;
  /** Ranges of the step that nobody is computing. */
  #pending: MicroBatchRange[] = [];
  #missing = 0;
  #stopping = false;

  constructor(options: CoreOptions) {
    this.#options = options;
  }

  /** The step being computed, from 0. */
  get step(): number {
    return this.#step;
  }

  handle(event: CoreEvent<P>): CoreCommand<P>[] {
    this.#commands = [];
    switch (event.type) {
      case 'joined':
        this.#join(event.member, event.profile);
        break;
      case 'left':
        this.#leave(event.member);
        break;
      case 'computed':
        this.#computed(event);
        break;
      case 'updated':
        if (this.#state === 'updating') this.#endSteps(1, event.finite);
        break;
      case 'leased':
        if (this.#state === 'leasing') {
          this.#measure(this.#local, this.#microBatches * event.steps, event.seconds);
          this.#endSteps(event.steps, event.finite);
        }
        break;
      case 'evaluated':
        if (this.#state === 'evaluating') this.#nextStep();
        break;
      case 'stop':
        this.#stopping = true;
        if (this.#state === 'gathering' || this.#deserted) this.#finish('stopped');
        break;
    }
    return this.#commands;
  }

  get #microBatches(): number {
    return batchOf(this.#options.plan, this.#step).microBatches;
  }

  /** A step has begun and there is nobody to end it. */
  get #deserted(): boolean {
    return this.#state === 'computing' && this.#members.size === 0;
  }

  get #idle(): Member[] {
    return [...this.#members.values()].filter(({ work }) => work === undefined);
  }

  #join(id: MemberId, profile: MemberProfile): void {
    const member = {
      id,
      ...profile,
      rate: undefined,
      weights: undefined,
      work: undefined,
      worked: this.#step,
    };
    this.#members.set(id, member);
    if (this.#state === 'gathering') {
      const remote = [...this.#members.values()].filter(({ local }) => !local).length;
      if (remote >= this.#options.startWith) this.#nextStep();
      else this.#commands.push({ type: 'wait' });
    } else if (this.#state === 'computing') this.#dispatch();
  }

  #leave(id: MemberId): void {
    const member = this.#members.get(id);
    if (!member) return;
    this.#members.delete(id);
    if (this.#state !== 'computing') return;
    if (member.work) this.#pending.push(member.work);
    if (this.#stopping && this.#deserted) this.#finish('stopped');
    else this.#dispatch();
  }

  #computed(event: CoreEvent<P> & { type: 'computed' }): void {
    const { step, range, pieces, seconds } = event;
    const member = this.#members.get(event.member);
    const asked =
      this.#state === 'computing' &&
      step === this.#step &&
      member?.work?.first === range.first &&
      member.work.last === range.last;
    if (!asked) {
      this.#commands.push({ type: 'discard', pieces });
      return;
    }
    member.work = undefined;
    this.#measure(member, range.last - range.first, seconds);
    this.#commands.push({ type: 'reduce', range, pieces });
    this.#missing -= range.last - range.first;
    if (this.#missing > 0) {
      this.#dispatch();
      return;
    }
    this.#state = 'updating';
    this.#commands.push({ type: 'update', step });
  }

  #endSteps(steps: number, finite: boolean): void {
    this.#step += finite ? steps : steps - 1;
    if (!finite) {
      this.#finish('notFinite');
      return;
    }
    const epochEnds = this.#step % stepsPerEpoch(this.#options.plan) === 0;
    const runEnds = this.#step === this.#options.totalSteps;
    if (epochEnds || runEnds) {
      this.#state = 'evaluating';
      const { epoch } = batchOf(this.#options.plan, this.#step - 1);
      this.#commands.push({ type: 'evaluate', epoch });
      return;
    }
    this.#nextStep();
  }

  #nextStep(): void {
    if (this.#step === this.#options.totalSteps) {
      this.#finish('complete');
      return;
    }
    if (this.#stopping) {
      this.#finish('stopped');
      return;
    }
    const local = this.#local;
    if (local && this.#members.size === 1) {
      const steps = this.#leaseSteps(local);
      local.worked = this.#step + steps;
      this.#state = 'leasing';
      this.#commands.push({ type: 'lease', step: this.#step, steps });
      return;
    }
    this.#state = 'computing';
    for (const member of this.#members.values()) {
      if (this.#step - member.worked > RETRY_STEPS) member.rate = undefined;
    }
    this.#missing = this.#microBatches;
    this.#pending = [{ first: 0, last: this.#missing }];
    this.#dispatch();
  }

  /** The coordinator's own threads, if they compute. */
  get #local(): Member | undefined {
    return [...this.#members.values()].find(({ local }) => local);
  }

  #leaseSteps({ rate }: Member): number {
    const { plan, totalSteps, longestLease } = this.#options;
    const wanted = Math.floor((LEASE_SECONDS * (rate ?? 0)) / this.#microBatches);
    const steps = stepsPerEpoch(plan);
    const epochEnd = steps - (this.#step % steps);
    return Math.min(Math.max(1, wanted), longestLease, epochEnd, totalSteps - this.#step);
  }

  /** Gives pending ranges to idle members, each a share that follows its measured rate. */
  #dispatch(): void {
    const idle = this.#idle;
    if (this.#members.size === 0) this.#commands.push({ type: 'wait' });
    if (idle.length === 0 || this.#pending.length === 0) return;
    const [range, ...rest] = this.#pending;
    if (!range) return;
    this.#pending = rest;
    const assigned = splitRange(range, this.#weightsOf(idle), blockOf(this.#microBatches)).flatMap(
      (share, index) => {
        const member = idle[index];
        return member && share.last > share.first ? [{ member, share }] : [];
      },
    );
    const without = assigned.filter(({ member }) => !member.local && member.weights !== this.#step);
    if (without.length > 0) {
      const members = without.map(({ member }) => member.id);
      this.#commands.push({ type: 'sendWeights', step: this.#step, members });
    }
    for (const { member, share } of assigned) {
      member.work = share;
      member.worked = this.#step;
      member.weights = this.#step;
      this.#commands.push({ type: 'assign', member: member.id, step: this.#step, range: share });
    }
    this.#dispatch();
  }

  /** Measured rates; a newcomer counts as its threads times what a thread does elsewhere. */
  #weightsOf(members: readonly Member[]): number[] {
    const known = [...this.#members.values()].flatMap(({ rate, threads }) =>
      rate === undefined ? [] : [rate / threads],
    );
    const perThread =
      known.length > 0 ? known.reduce((sum, rate) => sum + rate, 0) / known.length : 1;
    return members.map(({ rate, threads }) => rate ?? perThread * threads);
  }

  #measure(member: Member | undefined, microBatches: number, seconds: number): void {
    if (!member || seconds <= 0) return;
    const now = microBatches / seconds;
    member.rate = member.rate === undefined ? now : member.rate + RATE_SHARE * (now - member.rate);
  }

  #finish(outcome: Outcome): void {
    this.#state = 'finished';
    this.#commands.push({ type: 'finish', outcome });
  }
}
