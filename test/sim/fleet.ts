import type { CoreCommand, MemberId } from '../../coordinator/core-messages.js';
import type { Values } from '../reduce/fake-sums.js';
import { profileOf } from '../coordinator/profiles.js';
import { Injuries } from './injuries.js';
import { type Answer, RemoteProcess } from './members.js';
import type { Machine } from './scenario.js';
import { RemoteWork } from './work.js';
import type { Connections, World } from './world.js';

/** Seconds until an operator has put a worker right that lied, at most. */
const REPAIR = 5;

/** The remote workers during one life of the coordinator, with all that befalls them. */
export class SimulatedFleet implements Connections {
  readonly #world: World;
  readonly #injuries: Injuries;
  readonly #work: RemoteWork;
  readonly #connected = new Map<MemberId, RemoteProcess>();
  #lastMember: MemberId = 0;
  #deserted = false;

  constructor(world: World) {
    this.#world = world;
    this.#injuries = new Injuries(world, this);
    this.#work = new RemoteWork(world, this, this.#injuries);
  }

  start(): void {
    const { clock, setup, progress } = this.#world;
    for (const machine of setup.machines) {
      progress.troubled(clock.now + machine.joinsAt);
      clock.after(machine.joinsAt, () => {
        this.open(machine);
      });
    }
  }

  has({ id }: RemoteProcess): boolean {
    return this.#connected.has(id);
  }

  open(machine: Machine): void {
    if (this.#deserted) return;
    const { clock, dice, coordinator, faults, progress, isWelcome } = this.#world;
    if (!isWelcome(machine.price)) {
      faults.happened('refused as too dear');
      return;
    }
    const id = ++this.#lastMember;
    const process = new RemoteProcess(id, machine, clock, dice);
    this.#connected.set(id, process);
    const { doing } = coordinator();
    if (doing === 'step') faults.happened('joined in the middle of a step');
    if (doing === 'lease') faults.happened('joined during a lease');
    progress.moved();
    this.#world.tell({
      type: 'joined',
      member: id,
      profile: profileOf({
        name: machine.name,
        threads: machine.threads,
        price: machine.price,
      }),
    });
    if (dice.chance(0.5)) this.#injuries.strike(process, 1);
    if (faults.due('killed while it was idle')) {
      this.#injuries.soon(process, 1, () => {
        if (!process.busy) this.#injuries.kill(process, 'killed while it was idle');
      });
    }
  }

  close(process: RemoteProcess): void {
    if (!this.#connected.delete(process.id)) return;
    const { coordinator, faults, setup, tell } = this.#world;
    const nobody = this.#connected.size === 0 && setup.localRate === undefined;
    if (nobody && coordinator().doing === 'step') {
      faults.happened('everybody gone in the middle of a step');
    }
    tell({ type: 'left', member: process.id });
  }

  hear(process: RemoteProcess): void {
    if (!process.silent || !this.has(process)) return;
    process.silent = false;
    this.#world.tell({ type: 'heard', member: process.id });
  }

  /** Every worker goes, and none comes back. */
  desert(): void {
    this.#deserted = true;
    for (const process of this.#connected.values()) {
      process.alive = false;
      this.#world.clock.after(this.#world.dice.between(0, 0.1), () => {
        this.close(process);
      });
    }
  }

  /** The coordinator throws a worker out. */
  expel(id: MemberId): void {
    const process = this.#connected.get(id);
    if (!process) return;
    const { clock, dice, faults, progress } = this.#world;
    faults.happened('expelled');
    process.alive = false;
    clock.after(dice.between(0, 0.05), () => {
      this.close(process);
    });
    const pause = dice.between(0.5, REPAIR);
    progress.troubled(clock.now + pause);
    clock.after(pause, () => {
      this.open(process.machine);
    });
  }

  /** The coordinator has no use for a worker any more. */
  release(id: MemberId): void {
    const process = this.#connected.get(id);
    if (!process) return;
    this.#world.faults.happened('released');
    process.alive = false;
    this.close(process);
  }

  noteSpare(id: MemberId): void {
    const slow = (this.#connected.get(id)?.slowness ?? 1) > 1;
    if (slow) this.#world.faults.happened('spare for its slow link');
  }

  sendWeights(id: MemberId, step: number, values: Values): void {
    const process = this.#connected.get(id);
    process?.carry('there', () => {
      process.whenRunning(() => {
        process.weights = { step, values };
      });
    });
  }

  sendWork({ member, ...asked }: CoreCommand<Answer> & { type: 'assign' }): void {
    const process = this.#connected.get(member);
    process?.carry('there', () => {
      process.whenRunning(() => {
        this.#work.begin(process, asked);
      });
    });
  }
}
