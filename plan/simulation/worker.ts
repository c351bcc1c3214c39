import type { Link, Machine } from '../machine.js';
import type { Clock } from './clock.js';

/** A worker's process and its connection, in virtual time. */
export class SimulatedWorker {
  readonly machine: Machine;
  readonly link: Link;
  readonly joinedAt: number;
  /** False once it has failed. */
  alive = true;
  /** Seconds that it computed so far. */
  computed = 0;
  readonly #clock: Clock;
  /** When the connection is done with what was sent before, each way, and the threads with work. */
  #free = { down: 0, up: 0, threads: 0 };

  constructor(machine: Machine, link: Link, clock: Clock) {
    this.machine = machine;
    this.link = link;
    this.joinedAt = clock.now;
    this.#clock = clock;
  }

  /** Something of so many bytes is sent to it at `time`. @returns when it is there */
  receive(time: number, bytes: number): number {
    this.#free.down = Math.max(this.#free.down, time) + bytes * this.link.byteSeconds;
    return this.#free.down + this.link.latency;
  }

  /** It computes from `time` on, when it can. @param done with the time at which it is done */
  compute(time: number, seconds: number, done: (time: number) => void): void {
    const since = Math.max(time, this.#free.threads);
    this.#free.threads = since + seconds;
    this.#clock.at(since + seconds, () => {
      if (!this.alive) return;
      this.computed += seconds;
      done(since + seconds);
    });
  }

  /** It sends so many bytes now, which arrive if it does not fail before. */
  send(bytes: number, arrived: () => void): void {
    this.#free.up = Math.max(this.#free.up, this.#clock.now) + bytes * this.link.byteSeconds;
    this.#clock.at(this.#free.up + this.link.latency, () => {
      if (this.alive) arrived();
    });
  }
}
