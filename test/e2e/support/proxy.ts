import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Held, Lane } from './lane.js';
import type { Side, Unit } from './wire.js';

/** Longest wait for a unit, in milliseconds. */
const PATIENCE_MS = 30_000;

/** What has passed: who sent it, and what it was. */
type Passed = Omit<Unit, 'bytes'>;

interface Watch<T> {
  readonly accepts: (unit: Passed) => boolean;
  readonly resolve: (unit: T) => void;
}

/** A cable between workers and a coordinator, which knows what goes over it. */
export class Proxy {
  /** Where workers find it. */
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #lanes: { readonly from: Side; readonly lane: Lane }[] = [];
  readonly #passed: Passed[] = [];
  readonly #holds = new Set<Watch<Held>>();
  readonly #waits = new Set<Watch<Passed>>();
  #refusing = false;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (near) => {
      this.#connect(near, port);
    });
  }

  /** Leads to the coordinator at `url`, of this machine. */
  static async to(url: string): Promise<Proxy> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Proxy(server, Number(new URL(url).port));
  }

  /** How many units of a type have passed; of the step, if one is given. */
  count(type: string, step?: number): number {
    return this.#passed.filter((unit) => unit.type === type && fits(unit, step)).length;
  }

  /** The next unit of the type, of this step or a later one, is kept back, and all behind it. */
  hold(type: string, fromStep?: number): Promise<Held> {
    return this.#watch(this.#holds, type, fromStep);
  }

  /** The next unit of the type, of this step or a later one, that passes. */
  pass(type: string, fromStep?: number): Promise<Passed> {
    return this.#watch(this.#waits, type, fromStep);
  }

  /** Ends every connection; how many there were. */
  cut(how: 'in order' | 'reset' = 'in order'): number {
    const open = [...this.#sockets].filter((socket) => !socket.destroyed);
    for (const socket of open) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.destroy();
    }
    return open.length / 2;
  }

  /** Loses what these send over the connections that are open, and tells nobody. */
  lose(...sides: readonly Side[]): void {
    for (const lane of this.#of(sides)) lane.lose();
  }

  /** Keeps back what these send over the connections that are open, until `mend`. */
  stall(...sides: readonly Side[]): void {
    for (const lane of this.#of(sides)) lane.stall();
  }

  /** All passes again; what was kept back comes first, and in order. */
  mend(): void {
    for (const { lane } of this.#lanes) lane.mend();
  }

  /** Bytes that `side` sent and that were lost or kept back. */
  keptBack(side: Side): number {
    return this.#of([side]).reduce((sum, lane) => sum + lane.keptBack, 0);
  }

  /** Ends new connections at once, until it is told not to; each counts as a `refusal`. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(near: Socket, port: number): void {
    if (this.#refusing) {
      near.destroy();
      this.#note({ from: 'coordinator', type: 'refusal' });
      return;
    }
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const [from, source, to] of [
      ['worker', near, far],
      ['coordinator', far, near],
    ] as const) {
      source.setNoDelay(true);
      this.#sockets.add(source);
      source.on('close', () => this.#sockets.delete(source));
      const lane = new Lane(from, source, to, {
        holder: (unit) => take(this.#holds, unit)?.resolve,
        onPassed: (unit) => {
          this.#note(unit);
        },
      });
      this.#lanes.push({ from, lane });
    }
  }

  #note({ from, type, step }: Passed): void {
    const passed = { from, type, ...(step !== undefined && { step }) };
    this.#passed.push(passed);
    take(this.#waits, passed)?.resolve(passed);
  }

  #of(sides: readonly Side[]): Lane[] {
    return this.#lanes.filter(({ from }) => sides.includes(from)).map(({ lane }) => lane);
  }

  #watch<T>(watches: Set<Watch<T>>, type: string, fromStep = 0): Promise<T> {
    const watched = new Promise<T>((resolve, reject) => {
      const watch: Watch<T> = {
        accepts: (unit) => unit.type === type && (unit.step ?? fromStep) >= fromStep,
        resolve: (unit) => {
          clearTimeout(timer);
          resolve(unit);
        },
      };
      const timer = setTimeout(() => {
        watches.delete(watch);
        const last = this.#passed.slice(-20).map(({ type: what, step }) => `${what} ${step ?? ''}`);
        const seconds = PATIENCE_MS / 1000;
        reject(new Error(`no ${type} in ${seconds} s; what passed last: ${last.join(', ')}`));
      }, PATIENCE_MS);
      watches.add(watch);
    });
    // Whoever waits for it sees the error.
    watched.catch(() => undefined);
    return watched;
  }
}

function fits(unit: Passed, step: number | undefined): boolean {
  return step === undefined || unit.step === step;
}

/** The first that wants the unit; it does not want another. */
function take<T>(watches: Set<Watch<T>>, unit: Passed): Watch<T> | undefined {
  const found = [...watches].find(({ accepts }) => accepts(unit));
  if (found) watches.delete(found);
  return found;
}
