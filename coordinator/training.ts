import type { LedgerState } from '../src/cost/ledger.js';
import type { Micros } from '../src/cost/money.js';
import { runCost } from '../src/cost/summary.js';
import type { Price } from '../src/cost/price.js';
import type { Pricing } from '../src/cost/pricing.js';
import type { EpochEvent, LimitName, Progress } from '../src/events.js';
import { DtrainError } from '../src/errors.js';
import { FrameMemory } from '../src/memory.js';
import { encodeFrame } from '../src/protocol/frame.js';
import { LONGEST_LEASE } from '../src/threads/memory.js';
import type { Evaluation } from '../src/threads/evaluation.js';
import type { Phases } from '../src/threads/phases.js';
import type { HeldPiece, StepSums } from '../src/threads/pool.js';
import { Core, type CoreOptions } from './core.js';
import {
  type CoreCommand,
  type CoreEvent,
  LOCAL,
  type MemberId,
  type MemberProfile,
  type Traffic,
} from './core-messages.js';
import { Ledger } from './ledger.js';
import { LocalWork, type LocalWorkOptions } from './local-work.js';
import { PhaseTally } from './phase-tally.js';
import type { MicroBatchRange } from './ranges.js';
import { type RemoteMember, RemoteMembers } from './remote-members.js';
import { type RunProgress, Tally } from './tally.js';

export interface TrainingOptions
  extends
    LocalWorkOptions,
    Pick<CoreOptions, 'totalSteps' | 'firstStep' | 'startWith' | 'saveEvery' | 'limits' | 'fleet'> {
  /** Whether the pool's threads train; else they only evaluate. */
  readonly localThreads: boolean;
  readonly pricing: Pricing;
  /** What the run has cost before `firstStep`. */
  readonly paid: LedgerState | undefined;
  /** What was done before `firstStep`. */
  readonly before: RunProgress;
  readonly onEpoch: (event: EpochEvent) => void;
  /** After each step, or each lease of steps. */
  readonly onSteps: (steps: readonly StepSums[], progress: Progress) => void;
  /** Weights and optimizer state are at rest after `step` steps: copy them now. */
  readonly onSave: (step: number, progress: RunProgress) => void;
  /** A limit ends the run: nobody else is needed any more. */
  readonly onLimit: () => void;
  /** There is nobody to compute, or not everybody who is waited for. */
  readonly onWait: (workers: number, started: boolean) => void;
}

export interface TrainingResult {
  readonly outcome: 'complete' | 'stopped';
  /** What stopped it, if it was not asked to stop. */
  readonly limit: LimitName | undefined;
  readonly steps: number;
  readonly samples: number;
  readonly trainSeconds: number;
  /** Remote workers that computed for the run. */
  readonly workers: number;
  /** Answers that came too late, or that nobody had asked for. */
  readonly refusedAnswers: number;
  readonly test: Evaluation;
  readonly validation: Evaluation | undefined;
}

type Pieces = readonly HeldPiece[];
type Finish = Pick<CoreCommand<Pieces> & { type: 'finish' }, 'outcome' | 'limit'>;

/** What the coordinator's own threads are called. */
const LOCAL_NAME = 'local';

/** The run at work: does what the core says, with threads and remote workers. */
export class Training {
  /** What the coordinator has sent to workers and received from them. */
  readonly traffic: Traffic = { sent: 0, received: 0 };
  readonly #options: TrainingOptions;
  readonly #core: Core<Pieces>;
  readonly #ledger: Ledger;
  readonly #remotes = new RemoteMembers();
  readonly #contributors = new Set<MemberId>();
  readonly #tally: Tally;
  readonly #phases = new PhaseTally();
  readonly #work: LocalWork;
  readonly #frames = new FrameMemory();
  readonly #finished: Promise<Finish>;
  /** Events that wait until the commands of the one before are done. */
  readonly #events: CoreEvent<Pieces>[] = [];
  #telling = false;
  #finish: (finish: Finish) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  /** This process has begun to train. */
  #began = false;
  #refused = 0;

  constructor(options: TrainingOptions) {
    const { plan, totalSteps, firstStep, before, pricing, paid } = options;
    this.#options = options;
    const local = this.#localProfile;
    const date = new Date().toISOString();
    this.#ledger = new Ledger({ plan, pricing, local, firstStep, before: paid, date }, seconds());
    this.#core = new Core({ ...options, longestLease: LONGEST_LEASE, ledger: this.#ledger });
    this.#work = new LocalWork(options, this.#phases);
    this.#tally = new Tally(plan, totalSteps, firstStep, before);
    this.#finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
  }

  /** Remote workers that can be counted on. */
  get workers(): number {
    return this.#remotes.present;
  }

  /** Remote workers that are missing before the first step can begin. */
  get awaited(): number {
    return this.#began ? 0 : Math.max(0, this.#options.startWith - this.workers);
  }

  /** What the run has cost so far. */
  get ledger(): LedgerState {
    return this.#ledger.state(seconds());
  }

  /** Why a worker at this price cannot join, if it cannot. */
  refusal(price: Price | null): string | undefined {
    if (this.#ledger.full) {
      return 'the run has had as many workers of different names as it can account for';
    }
    switch (this.#core.objection(price, seconds())) {
      case 'unpriced':
        return 'the run has a budget, and nobody says what this worker costs: start it with --price';
      case 'dear':
        return 'what is left of the budget is less than this worker costs at least';
      case undefined:
        return undefined;
    }
  }

  /** Whether anybody who is there, or has been, has a price. */
  get priced(): boolean {
    return this.#ledger.priced;
  }

  /** What the run will have cost if all who are there stay for more seconds. */
  spent(more = 0): Micros {
    return this.#ledger.spent(seconds(), more);
  }

  /** Where the training time went so far; what is missing was spent waiting. */
  get phases(): Phases {
    return this.#phases.total;
  }

  /**
   * Trains to the end, or to `stop`.
   * @throws DtrainError NOT_FINITE, THREAD_FAILED
   */
  async run(): Promise<TrainingResult> {
    const { localThreads, firstStep, totalSteps } = this.#options;
    // A run that was killed after its last step has nobody to wait for.
    if (firstStep === totalSteps) this.#finish({ outcome: 'complete' });
    else if (localThreads) {
      this.#tell({ type: 'joined', member: LOCAL, profile: this.#localProfile });
    } else {
      if (this.workers === 0) this.#options.onWait(0, false);
      // A deadline may pass before anybody has come.
      this.#tell({ type: 'timer' });
    }
    const { outcome, limit } = await this.#finished.finally(() => {
      clearTimeout(this.#timer);
    });
    this.#tally.training.pause();
    if (outcome === 'notFinite') throw notFinite(this.#core.step);
    const { test, validation } = await this.#work.evaluate(this.#tally.steps);
    return {
      outcome,
      limit,
      steps: this.#tally.steps,
      samples: this.#tally.progress.samples,
      trainSeconds: this.#tally.training.seconds,
      workers: this.#contributors.size,
      refusedAnswers: this.#refused,
      test,
      validation,
    };
  }

  get #localProfile(): MemberProfile {
    const { pool, localThreads, pricing } = this.#options;
    const threads = localThreads ? pool.threads : 0;
    const { traffic } = this;
    return { name: LOCAL_NAME, threads, local: true, price: pricing.own, traffic };
  }

  /** Ends the run after the current step. */
  stop(): void {
    this.#tell({ type: 'stop' });
  }

  /** Asks for a checkpoint as soon as there can be one. */
  save(): void {
    this.#tell({ type: 'save' });
  }

  join(member: RemoteMember): MemberId {
    const id = this.#remotes.add(member);
    const { name, threads, price, traffic } = member;
    const profile = { name, threads, price, traffic, local: false };
    this.#tell({ type: 'joined', member: id, profile });
    return id;
  }

  leave(id: MemberId): void {
    if (this.#remotes.remove(id)) this.#tell({ type: 'left', member: id });
  }

  /** Nothing is heard from a worker whose connection is open. */
  silent(id: MemberId): void {
    this.#tell({ type: 'silent', member: id });
  }

  /** Something was heard from it after all. */
  heard(id: MemberId): void {
    this.#tell({ type: 'heard', member: id });
  }

  /**
   * A remote worker's answer: the range's pieces, in this pool's memory.
   * @param seconds that it says it computed
   */
  answer(
    member: MemberId,
    step: number,
    range: MicroBatchRange,
    pieces: Pieces,
    { finite, seconds }: { readonly finite: boolean; readonly seconds: number },
  ): void {
    this.#phases.answered(member, seconds);
    this.#tell({ type: 'computed', member, step, range, pieces, finite, seconds });
  }

  #tell(event: CoreEvent<Pieces>): void {
    this.#events.push(event);
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) {
        for (const command of this.#core.handle(next, seconds())) {
          this.#do(command).catch((error: unknown) => {
            this.#fail(error);
          });
        }
        // The members have their work.
        if (next.type === 'updated') this.#giveBackFrames();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#telling = false;
    }
  }

  #giveBackFrames(): void {
    const { sent, received } = this.traffic;
    this.#frames.giveBack(sent + received);
  }

  async #do(command: CoreCommand<Pieces>): Promise<void> {
    switch (command.type) {
      case 'sendWeights': {
        const since = performance.now();
        const { buffer, byteOffset, byteLength } = this.#options.pool.weights;
        const bytes = new Uint8Array(buffer, byteOffset, byteLength);
        const frame = encodeFrame({ type: 'weights', step: command.step }, bytes);
        for (const id of command.members) this.#remotes.get(id)?.send(frame);
        this.#phases.broadcast(since);
        return;
      }
      case 'assign':
        this.#begin();
        await this.#assign(command);
        return;
      case 'lease':
        this.#begin();
        await this.#lease(command.step, command.steps);
        return;
      case 'reduce':
        this.#remotes.get(command.member)?.answered(true);
        this.#phases.used(command.member);
        this.#work.add(this.#core.step, command.pieces);
        return;
      case 'discard':
        this.#discard(command);
        return;
      case 'check':
        await this.#check(command);
        return;
      case 'expel':
        this.#remotes.get(command.member)?.expel();
        return;
      case 'update': {
        const sums = this.#work.update(command.step);
        this.#tell({ type: 'updated', finite: this.#count([sums]) });
        return;
      }
      case 'save':
        this.#options.onSave(command.step, this.#tally.progress);
        return;
      case 'evaluate':
        await this.#endEpoch(command.epoch);
        return;
      case 'lost':
        this.#remotes.lose(command.member, command.why);
        return;
      case 'back':
        this.#remotes.takeBack(command.member);
        return;
      case 'standing':
        this.#remotes.get(command.member)?.standing(command.spare, command.why);
        return;
      case 'release':
        this.#remotes.get(command.member)?.release(command.why);
        return;
      case 'timer':
        this.#setTimer(command.at);
        return;
      case 'wait':
        this.#options.onWait(this.workers, this.#began);
        return;
      case 'finish':
        if (command.limit) this.#options.onLimit();
        this.#finish(command);
        return;
    }
  }

  /** There is something to compute. */
  #begin(): void {
    this.#began = true;
    this.#tally.training.start();
  }

  #setTimer(at: number): void {
    clearTimeout(this.#timer);
    const milliseconds = Math.max(1, Math.ceil(at * 1000 - performance.now()));
    this.#timer = setTimeout(() => {
      this.#tell({ type: 'timer' });
    }, milliseconds);
  }

  async #assign({
    member,
    step,
    range,
    probe,
  }: CoreCommand<Pieces> & { type: 'assign' }): Promise<void> {
    if (member !== LOCAL) {
      if (!probe) this.#contributors.add(member);
      this.#remotes.get(member)?.send(encodeFrame({ type: 'work', step, ...range }));
      return;
    }
    const since = performance.now();
    const pieces = await this.#work.range(step, range);
    this.#phases.answered(LOCAL, (performance.now() - since) / 1000);
    this.#tell({ type: 'computed', member, step, range, pieces, finite: true, seconds: 0 });
  }

  async #lease(first: number, steps: number): Promise<void> {
    const { sums, seconds } = await this.#work.lease(first, steps);
    this.#tell({ type: 'leased', steps: sums.length, finite: this.#count(sums), seconds });
  }

  #discard({ member, pieces, why }: CoreCommand<Pieces> & { type: 'discard' }): void {
    this.#work.discard(pieces);
    if (member === LOCAL) return;
    if (why !== 'probe') this.#refused += 1;
    this.#remotes.get(member)?.answered(why !== 'unasked');
  }

  async #check({ member, step, range }: CoreCommand<Pieces> & { type: 'check' }): Promise<void> {
    const pieces = await this.#work.range(step, range);
    const finite = this.#work.isFinite(pieces);
    this.#tell({ type: 'checked', member, step, range, pieces, finite });
  }

  /** Counts steps that were taken; false if the last one was not finite. */
  #count(steps: readonly StepSums[]): boolean {
    const { onSteps, pool } = this.#options;
    const last = steps.at(-1);
    if (!last || !Number.isFinite(last.loss) || !pool.finite) return false;
    this.#tally.add(steps);
    onSteps(steps, this.#tally.standing(last, this.workers));
    return true;
  }

  async #endEpoch(epoch: number): Promise<void> {
    this.#tally.training.pause();
    const { test, validation } = await this.#work.evaluate(this.#tally.steps);
    const { currency, total, seconds } = runCost(this.ledger);
    const cost = { currency, total, seconds };
    this.#options.onEpoch({ ...this.#tally.endEpoch(epoch, test, validation), cost });
    this.#tell({ type: 'evaluated', ...(validation && { accuracy: validation.accuracy }) });
  }
}

/** Of the clock that the core goes by. */
function seconds(): number {
  return performance.now() / 1000;
}

function notFinite(step: number): DtrainError {
  return new DtrainError(
    'NOT_FINITE',
    `The loss or the weights are no longer finite at step ${step + 1}: try a lower --lr.`,
  );
}
