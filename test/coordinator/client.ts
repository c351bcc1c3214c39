import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import type { EngineChoice } from '../../src/engine/names.js';
import { decodeFrame, encodeFrame, type Frame } from '../../src/protocol/frame.js';
import {
  coordinatorMessage,
  type CoordinatorMessage,
  PROTOCOL_VERSION,
  type WorkerMessage,
} from '../../src/protocol/protocol.js';

type Message = Frame<CoordinatorMessage>;

/** The worker's side of a connection, in the hands of a test: it says what it is told to say. */
export class Client {
  readonly socket: WebSocket;
  /** The code with which the connection was closed. */
  readonly closed: Promise<number>;
  readonly #arrived: Message[] = [];
  #waiting: ((message: Message | undefined) => void) | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      this.#give(decodeFrame(coordinatorMessage, data));
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => {
        this.#waiting?.(undefined);
        resolve(code);
      });
    });
  }

  static async connect(port: number, options: ClientOptions = {}): Promise<Client> {
    const client = new Client(new WebSocket(`ws://127.0.0.1:${port}/ws`, options));
    onTestFinished(() => {
      client.socket.terminate();
    });
    await new Promise((resolve) => client.socket.once('open', resolve));
    return client;
  }

  say(message: WorkerMessage, ...payload: readonly Uint8Array[]): void {
    this.socket.send(encodeFrame(message, ...payload));
  }

  hello(name = 'test', threads = 1, engine: EngineChoice = 'auto'): void {
    this.say({ type: 'hello', protocol: PROTOCOL_VERSION, name, threads, engine });
  }

  /** Pieces of so many bytes in all, each of this value. */
  pieces(first: number, last: number, bytes: number, step = 0, value = 0): void {
    this.say({ type: 'pieces', step, first, last, micros: 0 }, new Uint8Array(bytes).fill(value));
  }

  /** Introduces itself and becomes a member. */
  async join(name?: string, threads?: number): Promise<void> {
    this.hello(name, threads);
    await this.next('welcome');
    this.say({ type: 'ready' });
  }

  /** Resolves once the coordinator has taken all that was said before. */
  async heard(): Promise<void> {
    const pong = new Promise((resolve) => this.socket.once('pong', resolve));
    this.socket.ping();
    await pong;
  }

  /** The next message, which has to be of this type. */
  async next<T extends CoordinatorMessage['type']>(
    type: T,
  ): Promise<CoordinatorMessage & { type: T }> {
    const frame = await this.frame();
    if (frame?.message.type !== type) {
      throw new Error(`${frame ? JSON.stringify(frame.message) : 'the end'} instead of ${type}`);
    }
    return frame.message as CoordinatorMessage & { type: T };
  }

  /** The next message with its payload, or undefined if the connection ends before one comes. */
  frame(): Promise<Message | undefined> {
    const message = this.#arrived.shift();
    if (message || this.socket.readyState === WebSocket.CLOSED) return Promise.resolve(message);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #give(message: Message): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(message);
    else this.#arrived.push(message);
  }
}
