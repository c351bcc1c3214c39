import { Core } from '../../coordinator/core.js';
import {
  type CoreCommand,
  type CoreEvent,
  LOCAL,
  type MemberId,
} from '../../coordinator/core-messages.js';
import type { MicroBatchRange } from '../../coordinator/ranges.js';
import { batchOf } from '../../src/data/batches.js';
import { pieceBytes } from '../../src/protocol/protocol.js';
import { philox } from '../../src/random/philox.js';
import { coveringNodes } from '../../src/reduce/tree.js';
import { LONGEST_LEASE } from '../../src/threads/memory.js';
import type { DescribedMachine } from '../fleet-file.js';
import type { Coordinator, Job, Machine } from '../machine.js';
import { predictStep, slowdownOf } from '../step-model.js';
import { Clock } from './clock.js';
import { MainThread } from './main-thread.js';
import { SimulatedWorker } from './worker.js';

export interface SimulationOptions {
  readonly job: Pick<Job, 'samples' | 'batch' | 'parameters'>;
  readonly coordinator: Coordinator;
  readonly local: Machine | null;
  /** One entry for each worker; each counts as one. */
  readonly workers: readonly Omit<DescribedMachine, 'count'>[];
  readonly steps: number;
  readonly seed: number;
  /** Milliseconds of this machine's time, to see how long the scheduler itself takes. */
  readonly stopwatch: () => number;
}

/** What a simulated run did after its first steps. Times are in virtual seconds. */
export interface SimulatedRun {
  readonly steps: number;
  readonly seconds: number;
  /** Of the workers' time, the share in which they computed. */
  readonly utilisation: number;
  /** Of the coordinator's main thread's time, the share in which it was busy. */
  readonly busy: number;
  /** Seconds of a step that the scheduler's decisions took, measured on this machine. */
  readonly scheduling: number;
  readonly failures: number;
  /** Micro-batches that were computed and not used, for each that was. */
  readonly wasted: number;
}

/** What an answer holds. */
interface Pieces {
  readonly count: number;
  readonly microBatches: number;
}
type Command<T extends CoreCommand<Pieces>['type']> = CoreCommand<Pieces> & { type: T };

/** What was counted so far: micro-batches, failures, steps, and seconds. */
interface Tally {
  used: number;
  wasted: number;
  failures: number;
  taken: number;
  scheduling: number;
  computed: number;
}

const NOTHING: Readonly<Tally> = {
  used: 0,
  wasted: 0,
  failures: 0,
  taken: 0,
  scheduling: 0,
  computed: 0,
};

/** Of the steps, those in which the coordinator learns how fast workers are. */
const WARM_UP = 0.3;
/** A share takes up to so much more or less time than its machine's speed says. */
const JITTER = 0.1;
const HOUR = 3_600;

/** Runs the coordinator's core against simulated workers, until so many steps are taken. */
export function simulate(options: SimulationOptions): SimulatedRun {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #clock = new Clock();
  readonly #main = new MainThread(this.#clock);
  readonly #core: Core<Pieces>;
  readonly #workers = new Map<MemberId, SimulatedWorker>();
  readonly #microBatches: number;
  readonly #tally: Tally = { ...NOTHING };
  #lastMember = LOCAL;
  #draws = 0;
  #timer = 0;
  #over = false;
  /** How it stood once the coordinator knew its workers. */
  #began = { at: 0, busy: 0, tally: NOTHING };

  constructor(options: SimulationOptions) {
    const { job, steps, workers } = options;
    const plan = { samples: job.samples, batch: job.batch };
    this.#options = options;
    this.#microBatches = batchOf(plan, 0).microBatches;
    this.#core = new Core<Pieces>({
      plan,
      totalSteps: steps,
      firstStep: 0,
      startWith: workers.length,
      longestLease: LONGEST_LEASE,
      saveEvery: { seconds: Number.MAX_VALUE },
    });
  }

  run(): SimulatedRun {
    const { local, workers, steps } = this.#options;
    if (local) this.#join(LOCAL, local);
    for (const worker of workers) this.#open(worker);
    while (!this.#over && this.#clock.advance());
    const began = this.#began;
    const seconds = this.#clock.now - began.at;
    const since = (key: keyof Tally): number => this.#tally[key] - began.tally[key];
    const taken = steps - began.tally.taken;
    return {
      steps: taken,
      seconds,
      utilisation: since('computed') / (seconds * Math.max(1, workers.length)),
      busy: Math.min(1, (this.#main.busy - began.busy) / seconds),
      scheduling: since('scheduling') / taken,
      failures: this.#tally.failures,
      wasted: since('wasted') / Math.max(1, since('used')),
    };
  }

  #open(described: SimulationOptions['workers'][number]): void {
    const { machine, failuresPerHour, awaySeconds } = described;
    const id = ++this.#lastMember;
    const worker = new SimulatedWorker(machine, machine.link ?? NO_LINK, this.#clock);
    this.#workers.set(id, worker);
    this.#join(id, machine);
    if (failuresPerHour === 0) return;
    // Times between failures that know nothing of each other.
    const until = (-Math.log(1 - this.#random()) * HOUR) / failuresPerHour;
    this.#clock.after(until, () => {
      this.#tally.failures += 1;
      this.#tally.computed += worker.computed;
      worker.computed = 0;
      worker.alive = false;
      this.#workers.delete(id);
      this.#tell({ type: 'left', member: id });
      this.#clock.after(awaySeconds, () => {
        this.#open(described);
      });
    });
  }

  #join(member: MemberId, { name, threads, price, link }: Machine): void {
    const traffic = { sent: 0, received: 0 };
    const profile = { name, threads, price, local: link === null, traffic };
    this.#tell({ type: 'joined', member, profile });
  }

  #tell(event: CoreEvent<Pieces>): void {
    if (this.#over) return;
    const since = this.#options.stopwatch();
    const commands = this.#core.handle(event, this.#clock.now);
    const seconds = (this.#options.stopwatch() - since) / 1_000;
    this.#tally.scheduling += seconds;
    this.#main.spend(seconds);
    for (const command of commands) this.#do(command);
  }

  #do(command: CoreCommand<Pieces>): void {
    const { addSeconds, updateSeconds } = this.#options.coordinator;
    switch (command.type) {
      case 'sendWeights':
        for (const id of command.members) this.#sendTo(id, 4 * this.#options.job.parameters);
        return;
      case 'assign':
        if (command.member === LOCAL) this.#computeHere(command);
        else this.#assign(command);
        return;
      case 'lease':
        this.#lease(command.steps);
        return;
      case 'reduce':
        this.#tally.used += command.pieces.microBatches;
        this.#main.spend(command.pieces.count * addSeconds);
        return;
      case 'discard':
        this.#tally.wasted += command.pieces.microBatches;
        return;
      case 'update':
        this.#main.do(updateSeconds, () => {
          this.#took(1);
          this.#tell({ type: 'updated', finite: true });
        });
        return;
      case 'evaluate':
        this.#clock.after(0, () => {
          this.#tell({ type: 'evaluated' });
        });
        return;
      case 'timer':
        this.#setTimer(command.at);
        return;
      case 'finish':
        this.#over = true;
        return;
      default:
        return;
    }
  }

  /** @returns when it is there; undefined if nobody is */
  #sendTo(id: MemberId, bytes: number): number | undefined {
    const { messageSeconds, byteSeconds } = this.#options.coordinator;
    const sent = this.#main.spend(messageSeconds + bytes * byteSeconds);
    return this.#workers.get(id)?.receive(sent, bytes);
  }

  #assign({ member, step, range }: Command<'assign'>): void {
    const { messageSeconds, byteSeconds } = this.#options.coordinator;
    const there = this.#sendTo(member, 0);
    const worker = this.#workers.get(member);
    if (!worker || there === undefined) return;
    const pieces = this.#piecesOf(step, range);
    const bytes = pieces.count * pieceBytes(this.#options.job.parameters);
    const { machine } = worker;
    const pace = machine.microBatchSeconds / machine.threads;
    const seconds = (machine.shareSeconds + sizeOf(range) * pace) * this.#jitter();
    worker.compute(there, seconds, () => {
      worker.send(bytes, () => {
        this.#main.do(messageSeconds + bytes * byteSeconds, () => {
          this.#tell({ type: 'computed', member, step, range, pieces, finite: true, seconds });
        });
      });
    });
  }

  #computeHere({ member, step, range }: Command<'assign'>): void {
    const { local, coordinator } = this.#options;
    if (!local) return;
    const pace = local.microBatchSeconds / local.threads;
    const slowdown = slowdownOf(local, coordinator, local.threads);
    const seconds = local.shareSeconds + sizeOf(range) * pace * slowdown * this.#jitter();
    this.#clock.after(seconds, () => {
      const pieces = this.#piecesOf(step, range);
      this.#main.do(0, () => {
        this.#tell({ type: 'computed', member, step, range, pieces, finite: true, seconds });
      });
    });
  }

  #lease(steps: number): void {
    const { local, coordinator, job } = this.#options;
    if (!local) return;
    const step = predictStep([local], coordinator, this.#microBatches, job.parameters);
    const seconds = steps * step.seconds * this.#jitter();
    this.#clock.after(seconds, () => {
      this.#tally.used += steps * this.#microBatches;
      this.#took(steps);
      this.#tell({ type: 'leased', steps, finite: true, seconds });
    });
  }

  #took(steps: number): void {
    this.#tally.taken += steps;
    for (const worker of this.#workers.values()) {
      this.#tally.computed += worker.computed;
      worker.computed = 0;
    }
    const warm = this.#tally.taken >= WARM_UP * this.#options.steps;
    if (this.#began.at > 0 || !warm) return;
    this.#began = { at: this.#clock.now, busy: this.#main.busy, tally: { ...this.#tally } };
  }

  #setTimer(at: number): void {
    const number = ++this.#timer;
    this.#clock.at(at, () => {
      if (number === this.#timer) this.#tell({ type: 'timer' });
    });
  }

  #piecesOf(step: number, { first, last }: MicroBatchRange): Pieces {
    const { microBatches } = batchOf(this.#options.job, step);
    return {
      count: coveringNodes(first, last, microBatches).length,
      microBatches: last - first,
    };
  }

  #jitter(): number {
    return 1 + JITTER * (2 * this.#random() - 1);
  }

  /** 0 to 1. */
  #random(): number {
    const [word] = philox([this.#draws++, 0, 0, 0], [this.#options.seed, 0]);
    return word / 2 ** 32;
  }
}

const NO_LINK = { latency: 0, byteSeconds: 0 };

function sizeOf({ first, last }: MicroBatchRange): number {
  return last - first;
}
