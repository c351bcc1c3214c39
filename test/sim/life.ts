import type { Disk } from '../../coordinator/checkpoint/disk.js';
import type { Checkpoint } from '../../coordinator/checkpoint/file.js';
import type { Core, CoreOptions } from '../../coordinator/core.js';
import { type CoreEvent, LOCAL, type Outcome } from '../../coordinator/core-messages.js';
import type { Ledger } from '../../coordinator/ledger.js';
import { profileOf } from '../coordinator/profiles.js';
import type { Limits } from '../../coordinator/run-end.js';
import { Audit } from './audit.js';
import { AuditedLedger, type LedgerLike, type LedgerOnDisk } from './audited-ledger.js';
import { check } from './check.js';
import { type Crash, FEWEST } from './faults.js';
import { SimulatedFleet } from './fleet.js';
import type { ReferenceRun } from './fake-model.js';
import type { Answer } from './members.js';
import { patience } from './scenario.js';
import { Shell } from './shell.js';
import { type DiskAccess, DISK_OPERATIONS, type Storage } from './storage.js';
import { Timer } from './timer.js';
import { text, type Trace } from './trace.js';
import { Trainer } from './trainer.js';
import type { World } from './world.js';

export type CoreLike = Pick<Core<Answer>, 'handle' | 'step' | 'objection'>;

/** What a run is made of; a test puts broken parts in. */
export interface Parts {
  readonly makeCore: (options: CoreOptions) => CoreLike;
  readonly makeLedger: (...options: ConstructorParameters<typeof Ledger>) => LedgerLike;
  readonly disk: (disk: Disk) => Disk;
  /** What is saved of a checkpoint, and what a new life takes from the one that was found. */
  readonly save: (checkpoint: Checkpoint) => Checkpoint;
  readonly resume: (checkpoint: Checkpoint) => Checkpoint;
}

interface LifeOptions extends Omit<World, 'coordinator' | 'tell' | 'isWelcome'> {
  readonly trace: Trace;
  readonly storage: Storage;
  readonly reference: ReferenceRun;
  readonly parts: Parts;
  readonly ledgerOnDisk: LedgerOnDisk;
  readonly onEvaluated: (epoch: number) => void;
}

const LOCAL_THREADS = 2;

/** One life of the coordinator, from its start, perhaps from a checkpoint, to its end or its crash. */
export class Life {
  readonly #options: LifeOptions;
  readonly #disk: DiskAccess;
  readonly trainer: Trainer;
  readonly #fleet: SimulatedFleet;
  readonly #timer: Timer;
  readonly #shell: Shell;
  #core: CoreLike | undefined;
  #audit: Audit | undefined;
  #accounts: AuditedLedger | undefined;
  #firstStep = 0;
  #end: Outcome | Crash | undefined;
  #failure: Error | undefined;
  /** Until when the coordinator's process stands still, and what it is told then. */
  #standsUntil = 0;
  #waiting: CoreEvent<Answer>[] = [];
  /** Events that the core was told. */
  events = 0;

  constructor(options: LifeOptions) {
    const { clock, storage, setup, scenario, reference, progress, onEvaluated } = options;
    this.#options = options;
    this.#disk = storage.open(clock, setup.diskDelay);
    this.trainer = new Trainer(scenario, reference);
    this.#timer = new Timer(options, () => {
      this.#receive({ type: 'timer' });
    });
    const world: World = {
      ...options,
      coordinator: () => ({ step: this.#core?.step ?? 0, doing: this.#shell.doing }),
      tell: (event) => {
        this.#receive(event);
      },
      isWelcome: (price) => this.#core?.objection(price, this.#timer.now) === undefined,
    };
    this.#fleet = new SimulatedFleet(world);
    this.#shell = new Shell({
      world,
      trainer: this.trainer,
      fleet: this.#fleet,
      timer: this.#timer,
      busy: () => this.#disk.busy,
      save: (checkpoint) => {
        const { meta, ...rest } = checkpoint;
        const ledger = this.#accounts?.ledger.state(this.#timer.now);
        this.#disk.save(options.parts.save({ ...rest, meta: { ...meta, ledger } }));
      },
      evaluated: onEvaluated,
      crash: (crash) => {
        this.#crash(crash);
      },
      finish: (outcome) => {
        this.#finish(outcome);
      },
    });
    progress.patience = patience(scenario, setup);
    progress.moved();
  }

  /** How it ended; undefined while it lasts. */
  get end(): Outcome | Crash | undefined {
    return this.#end;
  }

  /** @throws Error that nobody could be told */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  start(): void {
    const { clock, dice, faults, progress, setup } = this.#options;
    progress.troubled(clock.now + DISK_OPERATIONS * setup.diskDelay);
    if (faults.due('crash while it resumed')) {
      clock.after(setup.diskDelay * dice.between(0, 5), () => {
        if (!this.#core) this.#crash('crash while it resumed');
      });
    }
    this.#disk.disturb();
    this.#then(this.#disk.newest(), (checkpoint) => {
      this.#begin(checkpoint);
    });
  }

  /** Goes on in the clock's order, once a promise is kept. */
  #then<T>(promise: Promise<T>, action: (value: T) => void): void {
    promise.then(
      (value) => {
        this.#options.clock.after(0, () => {
          action(value);
        });
      },
      (error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      },
    );
  }

  #begin(checkpoint: Checkpoint | undefined): void {
    const { scenario, setup, parts, progress, trace, faults, dice } = this.#options;
    const resumed = checkpoint && parts.resume(checkpoint);
    if (resumed) this.trainer.restore(resumed);
    const firstStep = this.trainer.steps;
    this.#firstStep = firstStep;
    trace.note(`begins at step ${firstStep} with ${text(setup)}`);
    const { plan, totalSteps } = scenario;
    const { startWith, longestLease, saveEvery } = setup;
    const { now } = this.#timer;
    this.#accounts = new AuditedLedger(
      {
        makeLedger: parts.makeLedger,
        plan,
        firstStep,
        samples: this.trainer.samples,
        localThreads: setup.localRate === undefined ? 0 : LOCAL_THREADS,
        checkpoint: resumed?.meta.ledger,
        disk: this.#options.ledgerOnDisk,
      },
      now,
    );
    const { ledger } = this.#accounts;
    const limits = this.#limits();
    const { fleet } = setup;
    const options = {
      ...{ plan, totalSteps, firstStep, startWith, longestLease, saveEvery },
      ...{ limits, fleet, ledger },
    };
    this.#audit = new Audit(options);
    this.#core = parts.makeCore(options);
    faults.step = firstStep;
    progress.moved();
    if (dice.chance(0.05)) this.#mayStop();
    if (setup.localRate !== undefined) {
      const profile = profileOf({ threads: LOCAL_THREADS, local: true });
      this.#receive({ type: 'joined', member: LOCAL, profile });
    }
    this.#fleet.start();
    // A deadline may pass before anybody has come.
    this.#receive({ type: 'timer' });
  }

  #limits(): Limits | undefined {
    const { deadline, budget } = this.#options.setup;
    if (deadline === undefined && budget === undefined) return undefined;
    return {
      deadline: this.#timer.now + (deadline ?? Infinity),
      budget:
        budget === undefined
          ? null
          : budget + (this.#accounts?.ledger.spent(this.#timer.now) ?? 0n),
      targetAccuracy: null,
      evaluation: 0,
    };
  }

  /** An event, for which the coordinator may not have time yet. */
  #receive(event: CoreEvent<Answer>): void {
    const { clock } = this.#options;
    if (clock.now >= this.#standsUntil && this.#waiting.length === 0) this.#tell(event);
    else this.#waiting.push(event);
  }

  #tell(event: CoreEvent<Answer>): void {
    const { trace, faults, dice } = this.#options;
    if (!this.#core || !this.#audit || this.#end !== undefined) return;
    this.events += 1;
    trace.event(event);
    const { now } = this.#timer;
    const commands = this.#core.handle(event, now);
    for (const command of commands) trace.command(command);
    const { shared } = this.#audit;
    this.#audit.watch(event, now, commands);
    // What the trainer has counted the core may not have heard of yet.
    const told = (event.type === 'leased' || event.type === 'updated') && event.finite;
    this.#accounts?.watch(event, now, commands, told ? this.trainer.samples : undefined);
    if (this.#audit.shared > shared) faults.happened('range given to another member too');
    faults.step = this.#core.step;
    const between = ['updated', 'leased', 'evaluated'].includes(event.type);
    const crashes = between && faults.due('crash between two steps');
    const done = crashes ? commands.slice(0, dice.whole(0, commands.length)) : commands;
    for (const command of done) this.#shell.do(command);
    if (crashes) this.#crash('crash between two steps');
    else this.#disturb();
  }

  /** What may happen after any event. */
  #disturb(): void {
    const { clock, dice, faults } = this.#options;
    this.#disk.disturb();
    this.#mayStop();
    if (dice.chance(0.01)) {
      clock.after(dice.between(0, 0.1), () => {
        this.#receive({ type: 'save' });
      });
    }
    if (faults.due('coordinator stood still')) this.#standStill();
  }

  #standStill(): void {
    const { clock, dice, faults, progress } = this.#options;
    faults.happened('coordinator stood still');
    this.#standsUntil = clock.now + dice.between(0.2, 3);
    progress.troubled(this.#standsUntil);
    clock.at(this.#standsUntil, () => {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const event of waiting) this.#receive(event);
    });
  }

  #mayStop(): void {
    const { clock, dice, faults } = this.#options;
    const deserted = faults.due('stopped and deserted');
    if (!deserted && !faults.due('stopped')) return;
    clock.after(dice.between(0, 0.1), () => {
      if (this.#audit?.outcome !== undefined) return;
      faults.happened(deserted ? 'stopped and deserted' : 'stopped');
      this.#receive({ type: 'stop' });
      if (deserted) this.#fleet.desert();
      if (dice.chance(0.2)) this.#receive({ type: 'stop' });
    });
  }

  #finish(outcome: Outcome): void {
    if (outcome !== 'stopped' && this.#options.faults.total < FEWEST) {
      this.#crash('crash at the very end');
      return;
    }
    const { steps } = this.trainer;
    check(this.#core?.step === steps, `the core ends at step ${this.#core?.step}, not ${steps}`);
    const { clock, progress, setup } = this.#options;
    const longest = 1 + DISK_OPERATIONS * setup.diskDelay;
    progress.troubled(clock.now + longest);
    clock.after(longest, () => {
      check(this.#end !== undefined, 'the last checkpoint is waited for, on and on');
    });
    this.#then(this.#disk.close(), (saved) => {
      const changed = outcome !== 'notFinite' && steps > this.#firstStep;
      if (saved && changed) this.#options.storage.checkEnd(steps);
      this.#end = outcome;
    });
  }

  #crash(crash: Crash): void {
    if (this.#end !== undefined) return;
    this.#options.faults.happened(crash);
    this.#end = crash;
    this.#options.clock.die();
  }
}
