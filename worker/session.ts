import type { RawData, WebSocket } from 'ws';
import { batchOf } from '../src/data/batches.js';
import type { ChosenEngine } from '../src/engine/choose.js';
import type { EngineChoice } from '../src/engine/names.js';
import { type Price, statePrice } from '../src/cost/price.js';
import { DtrainError } from '../src/errors.js';
import { FrameMemory } from '../src/memory.js';
import { decodeFrame, encodeFrame } from '../src/protocol/frame.js';
import {
  coordinatorMessage,
  type CoordinatorMessage,
  limits,
  pieceBytes,
  PROTOCOL_VERSION,
  type RunEnding,
  type Welcome,
  type WorkerMessage,
} from '../src/protocol/protocol.js';
import type { WorkerEngine } from './engine.js';

/** How a connection to the coordinator ended. */
export type SessionEnd =
  | { readonly type: 'done'; readonly outcome: RunEnding }
  /** The coordinator does not need this worker any more, and says why. */
  | { readonly type: 'released'; readonly reason: string }
  | { readonly type: 'left' }
  /** The connection is gone; the coordinator may come back. */
  | { readonly type: 'lost' };

export interface SessionOptions {
  readonly name: string;
  readonly threads: number;
  readonly engine: EngineChoice;
  /** What this worker costs; null if its user does not say. */
  readonly price: Price | null;
  /** Gives the threads for what the coordinator describes. */
  readonly engineFor: (welcome: Welcome, module: Uint8Array) => Promise<WorkerEngine>;
  readonly onJoined: (run: string, engine: ChosenEngine) => void;
  /** The coordinator does better without this worker for now (true), or with it again (false). */
  readonly onStanding: (spare: boolean) => void;
  /** Leaves the run. */
  readonly signal: AbortSignal;
}

/** A worker's end of one connection, from `hello` to the last message. */
export class Session {
  readonly #socket: WebSocket;
  readonly #options: SessionOptions;
  readonly #frames = new FrameMemory();
  /** Of all frames so far. */
  #bytes = 0;
  #engine: WorkerEngine | undefined;
  #welcome: NodeJS.Timeout | undefined;
  /** What still comes after the end is not looked at. */
  #over = false;
  /** Messages are handled one after the other, each when the one before is done. */
  #queue: Promise<void> = Promise.resolve();

  constructor(socket: WebSocket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** @throws DtrainError REFUSED, PROTOCOL, THREAD_FAILED */
  run(): Promise<SessionEnd> {
    const { name, threads, engine, price, signal } = this.#options;
    const socket = this.#socket;
    return new Promise<SessionEnd>((resolve, reject) => {
      const end = (how: SessionEnd): void => {
        this.#over = true;
        resolve(how);
      };
      const leave = (): void => {
        this.#say({ type: 'leave' });
        socket.close(1000);
        end({ type: 'left' });
      };
      socket.on('message', (data: RawData) => {
        this.#queue = this.#queue
          .then(() => (this.#over ? undefined : this.#receive(data, end)))
          .catch((error: unknown) => {
            this.#over = true;
            socket.close(1008);
            reject(error instanceof Error ? error : new Error(String(error)));
          });
      });
      socket.on('close', () => {
        signal.removeEventListener('abort', leave);
        clearTimeout(this.#welcome);
        clearTimeout(silence);
        // What came before the end is handled before it.
        this.#queue = this.#queue.then(() => {
          resolve({ type: 'lost' });
        });
      });
      signal.addEventListener('abort', leave);
      const silence = setTimeout(() => {
        socket.terminate();
      }, limits.coordinatorSilentMs);
      const heard = (): void => {
        silence.refresh();
      };
      socket.on('ping', heard);
      socket.on('message', heard);
      this.#welcome = setTimeout(() => {
        socket.terminate();
      }, limits.welcomeMs);
      const cost = price ? { price: statePrice(price) } : {};
      this.#say({ type: 'hello', protocol: PROTOCOL_VERSION, name, threads, engine, ...cost });
      if (signal.aborted) leave();
    });
  }

  #say(message: WorkerMessage, ...payload: readonly Uint8Array[]): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const frame = encodeFrame(message, ...payload);
    this.#bytes += frame.length;
    this.#socket.send(frame);
  }

  async #receive(data: RawData, end: (how: SessionEnd) => void): Promise<void> {
    if (!Buffer.isBuffer(data)) throw new DtrainError('PROTOCOL', 'A message came in parts.');
    this.#bytes += data.length;
    const { message, payload } = decodeFrame(coordinatorMessage, data);
    switch (message.type) {
      case 'welcome':
        clearTimeout(this.#welcome);
        this.#engine = await this.#options.engineFor(message, payload);
        this.#say({ type: 'ready' });
        this.#options.onJoined(message.run, this.#engine.engine);
        return;
      case 'weights':
        this.#weights(payload);
        return;
      case 'work':
        await this.#work(message);
        return;
      case 'standing':
        this.#options.onStanding(message.spare);
        return;
      case 'done':
        end({ type: 'done', outcome: message.outcome });
        this.#socket.close(1000);
        return;
      case 'released':
        end({ type: 'released', reason: message.reason });
        this.#socket.close(1000);
        return;
      case 'refused':
        throw new DtrainError('REFUSED', `The coordinator refused this worker: ${message.reason}.`);
    }
  }

  #weights(payload: Uint8Array): void {
    const { pool } = this.#ready();
    const { buffer, byteOffset, byteLength } = pool.weights;
    if (payload.length !== byteLength) {
      throw new DtrainError('PROTOCOL', 'The weights came in the wrong size.');
    }
    new Uint8Array(buffer, byteOffset, byteLength).set(payload);
  }

  async #work({ step, first, last }: CoordinatorMessage & { type: 'work' }): Promise<void> {
    const { pool, plan, parameterCount } = this.#ready();
    if (first >= last || last > batchOf(plan, step).microBatches) {
      throw new DtrainError('PROTOCOL', 'The coordinator asked for an impossible range.');
    }
    const since = performance.now();
    const computed = pool.range(step, first, last);
    // The threads are at work.
    this.#frames.giveBack(this.#bytes);
    const pieces = await computed;
    const micros = Math.round((performance.now() - since) * 1000);
    const bytes = pieceBytes(parameterCount);
    const sums = pieces.map(({ place }) => new Uint8Array(pool.memory.buffer, place, bytes));
    this.#say({ type: 'pieces', step, first, last, micros }, ...sums);
    for (const { place } of pieces) pool.pieces.give(place);
  }

  #ready(): WorkerEngine {
    if (!this.#engine) throw new DtrainError('PROTOCOL', 'The coordinator gave work too early.');
    return this.#engine;
  }
}
