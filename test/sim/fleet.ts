import type { CoreEvent, MemberId } from '../../coordinator/core-messages.js';
import type { MicroBatchRange } from '../../coordinator/ranges.js';
import { batchOf } from '../../src/data/batches.js';
import type { Values } from '../reduce/fake-sums.js';
import type { Answer } from './audit.js';
import type { Clock } from './clock.js';
import type { Dice } from './dice.js';
import type { Fault } from './faults.js';
import { answerOf, RemoteProcess, secondsFor } from './members.js';
import type { Machine, Scenario } from './scenario.js';

/** What the coordinator's side of a run is doing. */
export type Doing = 'nothing' | 'step' | 'lease';

/** What the remote workers live in. */
export interface World {
  readonly scenario: Scenario;
  readonly dice: Dice;
  readonly clock: Clock;
  readonly coordinator: () => { step: number; doing: Doing; over: boolean };
  readonly happened: (fault: Fault) => void;
  readonly tell: (event: CoreEvent<Answer>) => void;
  readonly answer: (member: MemberId, answer: Answer, seconds: number) => void;
}

/** The remote workers of a simulated run, with all that befalls them. */
export class SimulatedFleet {
  readonly #world: World;
  /** The workers that the coordinator has a connection to. */
  readonly #connected = new Map<MemberId, RemoteProcess>();
  #lastMember: MemberId = 0;
  #kills = 0;
  #deserted = false;

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    for (const machine of this.#world.scenario.machines) {
      this.#world.clock.at(machine.joinsAt, () => {
        this.#connect(machine);
      });
    }
  }

  /** Every worker goes, and none comes back. */
  desert(): void {
    this.#deserted = true;
    for (const process of this.#connected.values()) {
      process.alive = false;
      this.#world.clock.after(this.#world.dice.between(0, 0.1), () => {
        this.#disconnect(process);
      });
    }
  }

  #connect(machine: Machine): void {
    if (this.#deserted) return;
    const id = ++this.#lastMember;
    const process = new RemoteProcess(id, machine, this.#world.clock, this.#world.dice);
    this.#connected.set(id, process);
    const { doing } = this.#world.coordinator();
    if (doing === 'step') this.#world.happened('joined in the middle of a step');
    if (doing === 'lease') this.#world.happened('joined during a lease');
    const { threads } = machine;
    this.#world.tell({ type: 'joined', member: id, profile: { threads, local: false } });
    if (this.#world.dice.chance(this.#world.scenario.killed / 2)) {
      this.#world.clock.after(this.#world.dice.between(0, 1), () => {
        if (process.alive && this.#mayKill()) this.#kill(process, 'killed while it was idle');
      });
    }
  }

  #mayKill(): boolean {
    return this.#kills < this.#world.scenario.kills && !this.#world.coordinator().over;
  }

  /** Ends a worker's process; the coordinator notices some time later. */
  #kill(process: RemoteProcess, fault: Fault): void {
    this.#kills += 1;
    this.#world.happened(fault);
    process.alive = false;
    process.carry('back', () => {
      this.#disconnect(process);
    });
    this.#world.clock.after(this.#world.dice.between(0, 2), () => {
      if (!this.#deserted) this.#world.happened('came back as a new member');
      this.#connect(process.machine);
    });
  }

  #disconnect({ id }: RemoteProcess): void {
    if (!this.#connected.delete(id)) return;
    const nobody = this.#connected.size === 0 && this.#world.scenario.localRate === undefined;
    const { doing } = this.#world.coordinator();
    if (nobody && doing === 'step') this.#world.happened('everybody gone in the middle of a step');
    this.#world.tell({ type: 'left', member: id });
  }

  sendWeights(id: MemberId, step: number, values: Values): void {
    const process = this.#connected.get(id);
    process?.carry('there', () => {
      process.weights = { step, values };
    });
  }

  sendWork(id: MemberId, step: number, range: MicroBatchRange): void {
    const process = this.#connected.get(id);
    const sent = this.#world.clock.now;
    process?.carry('there', () => {
      if (!process.alive) return;
      const seconds = secondsFor(this.#world.dice, range.last - range.first, process.machine.rate);
      if (this.#world.dice.chance(this.#world.scenario.killed) && this.#mayKill()) {
        this.#world.clock.after(seconds * this.#world.dice.next(), () => {
          if (process.alive) this.#kill(process, 'killed while it computed');
        });
      }
      this.#world.clock.after(seconds, () => {
        if (process.alive) this.#finishRemote(process, { step, range, sent });
      });
    });
  }

  #finishRemote(
    process: RemoteProcess,
    { step, range, sent }: { step: number; range: MicroBatchRange; sent: number },
  ): void {
    const { weights } = process;
    if (weights?.step !== step) {
      throw new Error(`member ${process.id} has weights of ${weights?.step} for step ${step}`);
    }
    const { killed, repeated, stray } = this.#world.scenario;
    const make = (): Answer => answerOf(this.#world.scenario, step, range, weights.values);
    if (this.#world.dice.chance(stray)) this.#sendStray(process, step, weights.values);
    if (this.#world.dice.chance(killed / 3) && this.#mayKill()) {
      this.#kill(process, 'killed before its answer got through');
      return;
    }
    process.carry('back', () => {
      this.#world.answer(process.id, make(), this.#world.clock.now - sent);
    });
    if (this.#world.dice.chance(repeated)) {
      const latest = this.#world.dice.chance(0.3) ? 3 : process.machine.delay * 10;
      this.#world.clock.after(this.#world.dice.between(0, latest), () => {
        this.#repeat(process, make());
      });
    }
  }

  /** An answer comes once more, by whatever way: perhaps before the first one, perhaps too late. */
  #repeat(process: RemoteProcess, answer: Answer): void {
    if (!this.#connected.has(process.id)) this.#world.happened('answer after its sender had left');
    else if (answer.step === this.#world.coordinator().step)
      this.#world.happened('answer repeated in its step');
    else this.#world.happened('answer repeated in a later step');
    this.#world.answer(process.id, answer, this.#world.dice.next());
  }

  /** Some range of the step that nobody asked this member for, or of the step after. */
  #sendStray(process: RemoteProcess, step: number, weights: Values): void {
    const of = step + this.#world.dice.whole(0, 1);
    const { microBatches } = batchOf(this.#world.scenario.plan, of);
    const first = this.#world.dice.whole(0, microBatches - 1);
    const range = { first, last: this.#world.dice.whole(first + 1, microBatches) };
    process.carry('back', () => {
      this.#world.happened('answer to another question');
      this.#world.answer(
        process.id,
        answerOf(this.#world.scenario, of, range, weights),
        this.#world.dice.next(),
      );
    });
  }
}
