import type { CheckpointInterval } from '../src/config/types.js';
import { batchOf, type BatchPlan, stepsPerEpoch } from '../src/data/batches.js';
import { Assignment } from './assignment.js';
import {
  type Absence,
  type CoreCommand,
  type CoreEvent,
  type Discarded,
  LOCAL,
  type MemberId,
  type Outcome,
} from './core-messages.js';
import type { FleetOptions } from './fleet-policy.js';
import type { Member } from './member.js';
import type { Ledger } from './ledger.js';
import type { Price } from '../src/cost/price.js';
import type { LimitName } from '../src/events.js';
import type { MicroBatchRange } from './ranges.js';
import type { Need } from './policy.js';
import type { Roster } from './roster.js';
import { type Limits, RunEnd } from './run-end.js';
import type { StepWork } from './step-work.js';

export interface CoreOptions {
  readonly plan: BatchPlan;
  readonly totalSteps: number;
  /** Steps that were taken before, by the run that this one resumes. */
  readonly firstStep: number;
  /** Remote workers to wait for before the first step. */
  readonly startWith: number;
  readonly longestLease: number;
  /** How often to save, beside the end of each epoch and of the run. */
  readonly saveEvery: CheckpointInterval;
  /** Is kept up with all that happens. */
  readonly ledger?: Pick<Ledger, 'watch' | 'spent'>;
  /** What ends the run before its last step, if anything does. */
  readonly limits?: Limits | undefined;
  /** Who is to compute; else all who save time. */
  readonly fleet?: FleetOptions | undefined;
}

/** How long local threads may go on without looking for newcomers, in seconds. */
const LEASE_SECONDS = 0.1;

type Event<P, T extends CoreEvent<P>['type']> = CoreEvent<P> & { type: T };

/**
 * The run as a state machine without sockets, threads, clocks or files: events in, commands out.
 * It sees to it that every micro-batch of every step is counted exactly once.
 */
export class Core<P> {
  readonly #options: CoreOptions;
  readonly #assignment: Assignment;
  readonly #end: RunEnd;
  #now = 0;
  #commands: CoreCommand<P>[] = [];
  #state: 'gathering' | 'computing' | 'leasing' | 'updating' | 'evaluating' | 'finished' =
    'gathering';
  #step: number;
  /** When the step, the lease or the evaluation under way began. */
  #since = 0;
  #stopping = false;
  #saveAsked = false;
  #saved: { step: number | undefined; at: number } = { step: undefined, at: 0 };

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#step = options.firstStep;
    this.#end = new RunEnd(options.limits, options.ledger);
    const emit = (command: CoreCommand<P>): number => this.#commands.push(command);
    this.#assignment = new Assignment(emit, this.#step, this.#microBatches, options.fleet);
  }

  /** The step being computed, from 0. */
  get step(): number {
    return this.#step;
  }

  /** Why nobody at this price may join now, if that is so. */
  objection(price: Price | null, now: number): 'unpriced' | 'dear' | undefined {
    return this.#end.objection(price, now);
  }

  /** @param now seconds, of a clock that only goes forward */
  handle(event: CoreEvent<P>, now: number): CoreCommand<P>[] {
    this.#commands = [];
    this.#now = Math.max(now, this.#now);
    if (!this.#finished) this.#take(event);
    else if ('pieces' in event) this.#discardAfterEnd(event);
    this.#options.ledger?.watch(event, this.#now, this.#commands);
    // Only now does the ledger know who is there, and so until when the money lasts.
    if (event.type === 'joined' || event.type === 'left') this.#end.membersChanged();
    if (!this.#finished) {
      this.#assignment.setAlarm(this.#now, this.#waits ? this.#limit.at : Infinity);
    }
    return this.#commands;
  }

  #take(event: CoreEvent<P>): void {
    switch (event.type) {
      case 'joined':
        this.#roster.add(event.member, event.profile, this.#now);
        this.#arrived();
        return;
      case 'left':
        if (this.#roster.delete(event.member)) this.#departed();
        return;
      case 'silent':
        this.#miss(event.member, 'silent');
        return;
      case 'heard':
        this.#hear(event.member);
        return;
      case 'computed':
        this.#computed(event);
        return;
      case 'checked':
        this.#checked(event);
        return;
      case 'updated':
        if (this.#state === 'updating') this.#endSteps(1, event.finite, 0);
        return;
      case 'leased':
        if (this.#state !== 'leasing') return;
        this.#endSteps(event.steps, event.finite, event.steps * this.#work.microBatches);
        return;
      case 'evaluated':
        if (this.#state !== 'evaluating') return;
        this.#end.measureEvaluation(this.#now - this.#since);
        this.#save();
        if (this.#end.isEnough(event.accuracy)) this.#stop('targetAccuracy');
        else this.#nextStep();
        return;
      case 'save':
        if (this.#state === 'computing' || this.#state === 'gathering') this.#save();
        else this.#saveAsked = true;
        return;
      case 'stop':
        this.#stopping = true;
        if (this.#state === 'gathering' || this.#deserted) this.#stop();
        return;
      case 'timer':
        this.#assignment.clearAlarm();
        this.#look();
        return;
    }
  }

  get #finished(): boolean {
    return this.#state === 'finished';
  }

  /** What happens next is up to members, and may take as long as it likes. */
  get #waits(): boolean {
    return this.#state === 'gathering' || this.#state === 'computing';
  }

  get #roster(): Roster {
    return this.#assignment.roster;
  }

  get #work(): StepWork {
    return this.#assignment.work;
  }

  /** When the run must have taken its last step, and why. */
  get #limit(): { at: number; limit: LimitName } {
    return this.#end.next(this.#now, this.#assignment.pace);
  }

  get #need(): Need {
    const steps = this.#options.totalSteps - this.#step;
    return { steps, ...this.#end.left(this.#now, this.#assignment.pace) };
  }

  get #microBatches(): number {
    return batchOf(this.#options.plan, this.#step).microBatches;
  }

  /** A step has begun and there is nobody to end it. */
  get #deserted(): boolean {
    return this.#state === 'computing' && this.#roster.present.length === 0;
  }

  /** Somebody has joined, or is there again. */
  #arrived(): void {
    if (this.#state !== 'gathering') this.#advance();
    else if (this.#roster.remotes.length < this.#options.startWith) {
      this.#commands.push({ type: 'wait' });
    } else {
      this.#saved.at = this.#now;
      this.#nextStep();
    }
  }

  /** Somebody has left, or is not waited for. */
  #departed(): void {
    if (this.#stopping && this.#deserted) this.#stop();
    else this.#advance();
  }

  #miss(id: MemberId, why: Absence): void {
    const member = this.#roster.get(id);
    if (!member || member[why]) return;
    const { present } = member;
    member[why] = true;
    if (!present) return;
    this.#commands.push({ type: 'lost', member: id, why });
    this.#departed();
  }

  #hear(id: MemberId): void {
    const member = this.#roster.get(id);
    if (!member?.silent) return;
    member.silent = false;
    if (member.present) this.#return(member);
  }

  #return({ id }: Member): void {
    this.#commands.push({ type: 'back', member: id });
    this.#arrived();
  }

  #computed(event: Event<P, 'computed'>): void {
    const { step, range, pieces, finite } = event;
    const member = this.#roster.get(event.member);
    const work = member?.work;
    const asked =
      work?.step === step && work.range.first === range.first && work.range.last === range.last;
    if (!member || !asked) {
      this.#discard(event.member, pieces, 'unasked');
      return;
    }
    const { present } = member;
    member.end(work, event.seconds, this.#now);
    const wanted = !work.probe && this.#state === 'computing' && step === this.#step;
    if (wanted && !finite && !member.local) this.#suspect(member, range, pieces);
    else if (wanted && this.#work.count(range)) {
      this.#commands.push({ type: 'reduce', member: member.id, range, pieces });
    } else this.#discard(member.id, pieces, work.probe ? 'probe' : 'late');
    if (!present && member.present) this.#return(member);
    else this.#advance();
  }

  /** Values that are not finite end a run, so one member's word is not enough for them. */
  #suspect({ id }: Member, range: MicroBatchRange, pieces: P): void {
    this.#work.check(range);
    this.#discard(id, pieces, 'doubtful');
    this.#commands.push({ type: 'check', member: id, step: this.#step, range });
  }

  #checked({ member, step, range, pieces, finite }: Event<P, 'checked'>): void {
    const current = this.#state === 'computing' && step === this.#step;
    if (current) this.#work.checked(range);
    if (current && finite && this.#work.count(range)) {
      this.#commands.push({ type: 'reduce', member: LOCAL, range, pieces });
    } else this.#discard(LOCAL, pieces, 'doubtful');
    if (finite && this.#roster.delete(member)) this.#commands.push({ type: 'expel', member });
    if (current && !finite) this.#finish('notFinite');
    else if (this.#stopping && this.#deserted && !this.#work.complete) this.#stop();
    else this.#advance();
  }

  #discardAfterEnd({ type, member, pieces }: Event<P, 'computed' | 'checked'>): void {
    const why = this.#roster.get(member)?.work?.probe ? 'probe' : 'late';
    this.#discard(type === 'checked' ? LOCAL : member, pieces, why);
  }

  #discard(member: MemberId, pieces: P, why: Discarded): void {
    this.#commands.push({ type: 'discard', member, pieces, why });
  }

  /** Goes on with the step: to its update if all is counted, else by giving out what is open. */
  #advance(): void {
    if (this.#state !== 'computing') return;
    if (!this.#work.complete) {
      this.#assignment.dispatch(this.#now);
      return;
    }
    this.#state = 'updating';
    this.#commands.push({ type: 'update', step: this.#step });
  }

  /** The timer: who is stuck is given up, and what is late is given to others. */
  #look(): void {
    const { at, limit } = this.#limit;
    if (at <= this.#now && this.#waits) {
      this.#stop(limit);
      return;
    }
    for (const { id, work, local } of this.#roster.all) {
      if (!local && work && work.stuckAt <= this.#now) this.#miss(id, 'stuck');
    }
    this.#departed();
  }

  /** @param leased micro-batches of a lease */
  #endSteps(steps: number, finite: boolean, leased: number): void {
    this.#assignment.end(leased, this.#now);
    this.#end.measureSteps((this.#now - this.#since) / steps);
    this.#step += finite ? steps : steps - 1;
    if (!finite) {
      this.#finish('notFinite');
      return;
    }
    const { plan, totalSteps } = this.#options;
    if (this.#step % stepsPerEpoch(plan) === 0 || this.#step === totalSteps) {
      this.#state = 'evaluating';
      this.#since = this.#now;
      const { epoch } = batchOf(plan, this.#step - 1);
      this.#commands.push({ type: 'evaluate', epoch });
      return;
    }
    if (this.#saveDue) this.#save();
    this.#nextStep();
  }

  get #saveDue(): boolean {
    const { saveEvery } = this.#options;
    if (this.#saveAsked) return true;
    return 'steps' in saveEvery
      ? this.#step % saveEvery.steps === 0
      : this.#now - this.#saved.at >= saveEvery.seconds;
  }

  #save(): void {
    this.#saveAsked = false;
    if (this.#saved.step === this.#step) return;
    this.#saved = { step: this.#step, at: this.#now };
    this.#commands.push({ type: 'save', step: this.#step });
  }

  #nextStep(): void {
    if (this.#step === this.#options.totalSteps) this.#finish('complete');
    else if (this.#stopping) this.#stop();
    else this.#beginStep();
  }

  #beginStep(): void {
    const limit = this.#end.reached(this.#now, this.#assignment.pace);
    this.#since = this.#now;
    if (limit) this.#stop(limit);
    else if (this.#assignment.begin(this.#step, this.#microBatches, () => this.#need, this.#now)) {
      this.#state = 'leasing';
      this.#commands.push({ type: 'lease', step: this.#step, steps: this.#leaseSteps() });
    } else this.#state = 'computing';
  }

  #leaseSteps(): number {
    const { plan, totalSteps, longestLease, saveEvery } = this.#options;
    const wanted = Math.floor(LEASE_SECONDS / (this.#assignment.aloneSeconds ?? Infinity));
    const until = (every: number): number => every - (this.#step % every);
    const saving = 'steps' in saveEvery ? until(saveEvery.steps) : Infinity;
    const epochEnd = until(stepsPerEpoch(plan));
    const room = Math.max(1, this.#end.room(this.#now, this.#assignment.pace));
    const end = Math.min(epochEnd, totalSteps - this.#step);
    return Math.min(Math.max(1, wanted), longestLease, saving, end, room);
  }

  /** @param limit that ends the run, if it was not asked to stop */
  #stop(limit?: LimitName): void {
    this.#save();
    if (this.#step === this.#options.totalSteps) this.#finish('complete');
    else this.#finish('stopped', limit);
  }

  #finish(outcome: Outcome, limit?: LimitName): void {
    this.#state = 'finished';
    this.#commands.push({ type: 'finish', outcome, ...(limit && { limit }) });
  }
}
