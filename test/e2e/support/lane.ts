import type { Socket } from 'node:net';
import { type Side, type Unit, WireReader } from './wire.js';

/** A unit that a proxy keeps back, and with it all that its sender sends after it. */
export interface Held extends Unit {
  /** Passes it on, and what has come after it. */
  release(): void;
  /** Passes it on two times. */
  twice(): void;
  /** Lets what has come after it pass; what it returns passes the unit itself, later. */
  aside(): () => void;
  /** Passes its first half on and nothing more but the end of the connection; the bytes passed. */
  half(): Promise<number>;
}

export interface LaneListeners {
  /** Who wants to hold the unit, if anybody does. */
  readonly holder: (unit: Unit) => ((held: Held) => void) | undefined;
  /** It is on its way. */
  readonly onPassed: (unit: Unit) => void;
}

/** `ending`: only the end of the connection passes. */
type Mode = 'passing' | 'stalled' | 'held' | 'ending' | 'losing';

/** One direction of one connection through a proxy. */
export class Lane {
  readonly #to: Socket;
  readonly #queue: (Unit | 'end')[] = [];
  readonly #listeners: LaneListeners;
  #mode: Mode = 'passing';
  /** The unit at the queue's head has been held already. */
  #seen = false;
  /** Bytes that were lost, or had to wait while it was stalled. */
  keptBack = 0;

  constructor(from: Side, source: Socket, to: Socket, listeners: LaneListeners) {
    this.#to = to;
    this.#listeners = listeners;
    const reader = new WireReader(from);
    source.on('data', (chunk: Buffer) => {
      if (this.#mode === 'losing' || this.#mode === 'stalled') this.keptBack += chunk.length;
      this.#queue.push(...reader.push(chunk));
      this.#pump();
    });
    const end = (): void => {
      if (this.#queue.at(-1) === 'end') return;
      this.#queue.push('end');
      this.#pump();
    };
    source.on('end', end);
    source.on('close', end);
    source.on('error', end);
  }

  /** From now on everything is lost, the end of the connection too. */
  lose(): void {
    this.#mode = 'losing';
    this.#pump();
  }

  /** From now on everything waits. */
  stall(): void {
    this.#mode = 'stalled';
  }

  /** Everything passes again. */
  mend(): void {
    this.#mode = 'passing';
    this.#pump();
  }

  #pump(): void {
    for (let unit = this.#queue[0]; unit !== undefined; unit = this.#queue[0]) {
      if (this.#mode === 'stalled' || this.#mode === 'held') return;
      if (this.#mode === 'passing' && unit !== 'end' && !this.#seen) {
        const catcher = this.#listeners.holder(unit);
        if (catcher) {
          this.#mode = 'held';
          this.#seen = true;
          catcher(this.#held(unit));
          return;
        }
      }
      this.#queue.shift();
      this.#seen = false;
      if (unit !== 'end' && this.#mode === 'passing') this.#pass(unit);
      else if (unit === 'end' && this.#mode !== 'losing') this.#to.end();
    }
  }

  #pass(unit: Unit): void {
    this.#to.write(unit.bytes);
    this.#listeners.onPassed(unit);
  }

  #held(unit: Unit): Held {
    return {
      ...unit,
      release: () => {
        this.mend();
      },
      twice: () => {
        this.#pass(unit);
        this.mend();
      },
      aside: () => {
        this.#queue.shift();
        this.#seen = false;
        this.mend();
        return () => {
          this.#pass(unit);
        };
      },
      half: async () => {
        const bytes = unit.bytes.subarray(0, Math.floor(unit.bytes.length / 2));
        await new Promise((resolve) => this.#to.write(bytes, resolve));
        this.#mode = 'ending';
        this.#pump();
        return bytes.length;
      },
    };
  }
}
