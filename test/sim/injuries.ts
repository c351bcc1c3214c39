import { limits } from '../../src/protocol/protocol.js';
import type { Fault } from './faults.js';
import type { RemoteProcess } from './members.js';
import type { Connections, World } from './world.js';

/** Seconds of silence after which the coordinator notes it, and after which it cuts the connection. */
const SILENT = (limits.heartbeat.everyMs * limits.heartbeat.unanswered) / 1000;
const CUT = limits.workerSilentMs / 1000;
/** The coordinator looks so often. */
const LOOK = limits.heartbeat.everyMs / 1000;

/** What can be done to a remote worker and its connection. */
export class Injuries {
  readonly #world: World;
  readonly #connections: Connections;

  constructor(world: World, connections: Connections) {
    this.#world = world;
    this.#connections = connections;
  }

  /** Does something to a process within so many seconds, if it is still there. */
  soon(process: RemoteProcess, within: number, action: () => void): void {
    this.#world.clock.after(within * this.#world.dice.next(), () => {
      if (process.alive && this.#connections.has(process)) action();
    });
  }

  /** What may happen to a process within so many seconds, whatever it does then. */
  strike(process: RemoteProcess, within: number): void {
    const { faults } = this.#world;
    if (faults.due('paused')) {
      this.soon(process, within, () => {
        this.#pause(process);
      });
    }
    if (faults.due('messages held up')) {
      this.soon(process, within, () => {
        this.#holdUp(process);
      });
    }
    if (faults.due('connection lost and made again')) {
      this.soon(process, 2 * within, () => {
        this.#loseConnection(process);
      });
    }
    if (faults.due('slow link')) this.#slowDown(process);
  }

  /** Ends a worker's process; the coordinator notices some time later. */
  kill(process: RemoteProcess, fault: Fault): void {
    this.#world.faults.happened(fault);
    this.#breakOff(process);
    this.#return(process, this.#world.dice.between(0, 2), 'came back as a new member');
  }

  #loseConnection(process: RemoteProcess): void {
    this.#breakOff(process);
    const pause = this.#world.dice.between(0.01, 2);
    this.#return(process, pause, 'connection lost and made again');
  }

  /** The process stands still, and goes on where it was. */
  #pause(process: RemoteProcess): void {
    const { clock, dice, faults } = this.#world;
    faults.happened('paused');
    this.#mute(process, () => {
      process.pausedUntil = clock.now + dice.scale(0.3, 30);
      return process.pausedUntil;
    });
  }

  /** Messages in both directions wait for some time. */
  #holdUp(process: RemoteProcess): void {
    const { clock, dice, faults } = this.#world;
    faults.happened('messages held up');
    this.#mute(process, () => {
      process.heldUntil = clock.now + dice.scale(0.2, 15);
      return process.heldUntil;
    });
  }

  /** Each message takes long, for some time. */
  #slowDown(process: RemoteProcess): void {
    const { clock, dice, faults, progress } = this.#world;
    const { delay } = process.machine;
    faults.happened('slow link');
    process.slowness = Math.max(2, dice.scale(0.1, 2) / delay);
    const until = clock.now + dice.scale(5, 100);
    progress.troubled(until + 10 * delay * process.slowness);
    clock.at(until, () => {
      process.slowness = 1;
    });
  }

  /** The coordinator hears of the end at once, or hears nothing any more. */
  #breakOff(process: RemoteProcess): void {
    if (this.#world.dice.chance(0.3)) {
      this.#mute(process, () => {
        process.alive = false;
        return Infinity;
      });
      return;
    }
    process.alive = false;
    process.carry('back', () => {
      this.#connections.close(process);
    });
  }

  #return(process: RemoteProcess, pause: number, fault: Fault | 'came back as a new member'): void {
    const { clock, faults, progress } = this.#world;
    progress.troubled(clock.now + Math.max(pause, CUT + LOOK));
    clock.after(pause, () => {
      faults.happened(fault);
      this.#connections.open(process.machine);
    });
  }

  /** Nothing is heard of a process: the coordinator notes it, and cuts the connection in the end. */
  #mute(process: RemoteProcess, begin: () => number): void {
    const { clock, dice, faults, progress, tell } = this.#world;
    if (!process.mute) process.muteSince = clock.now;
    const since = process.muteSince;
    const until = begin();
    const isMute = (): boolean =>
      process.mute && process.muteSince === since && this.#connections.has(process);
    clock.at(since + SILENT + LOOK * dice.next(), () => {
      if (!isMute() || process.silent) return;
      process.silent = true;
      faults.happened('silent');
      tell({ type: 'silent', member: process.id });
    });
    clock.at(since + CUT + LOOK * dice.next(), () => {
      if (isMute()) this.#connections.close(process);
    });
    const longest = process.machine.delay * process.slowness * 5;
    progress.troubled((until === Infinity ? clock.now + CUT + LOOK : until) + longest);
    if (until < Infinity) {
      clock.at(until, () => {
        this.#comeBack(process);
      });
    }
  }

  #comeBack(process: RemoteProcess): void {
    if (!process.alive) return;
    process.carry('back', () => {
      this.#connections.hear(process);
    });
    if (this.#connections.has(process)) return;
    process.alive = false;
    this.#connections.open(process.machine);
  }
}
