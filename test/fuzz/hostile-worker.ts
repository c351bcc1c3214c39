import { once } from 'node:events';
import { WebSocket } from 'ws';
import { decodeFrame, encodeFrame } from '../../src/protocol/frame.js';
import {
  coordinatorMessage,
  type CoordinatorMessage,
  type Welcome,
  type WorkerMessage,
} from '../../src/protocol/protocol.js';
import { hello, ready } from './messages.js';
import { within } from './within.js';

export type Work = CoordinatorMessage & { type: 'work' };

/** How the coordinator ended a connection: the code, and the reason if it said one. */
export interface CutOff {
  readonly code: number;
  readonly reason: string | undefined;
}

/** A worker's connection in the hands of an attacker: it sends whatever it likes. */
export class HostileWorker {
  readonly socket: WebSocket;
  readonly cutOff: Promise<CutOff>;
  /** What it was last asked for. */
  work: Work | undefined;
  /** What the welcome said of the data. */
  shards: Welcome['data']['shards'] = [];
  /** Frames that it has sent. */
  sent = 0;
  #reason: string | undefined;
  #over = false;
  #wake: () => void = () => undefined;

  private constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.socket = new WebSocket(`${url}/ws`, {
      headers,
      perMessageDeflate: false,
      generateMask: (mask) => mask.fill(0),
    });
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data: Buffer) => {
      this.#hear(decodeFrame(coordinatorMessage, data).message);
    });
    this.cutOff = new Promise((resolve) => {
      this.socket.once('close', (code: number) => {
        this.#over = true;
        this.#wake();
        resolve({ code, reason: this.#reason });
      });
    });
  }

  static async connect(
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HostileWorker> {
    const worker = new HostileWorker(url, headers);
    await within(once(worker.socket, 'open'), 'a connection to the coordinator');
    return worker;
  }

  get isOver(): boolean {
    return this.#over;
  }

  send(frame: Buffer | string): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(frame);
    this.sent += 1;
  }

  say(message: WorkerMessage, payload: Uint8Array = new Uint8Array()): void {
    this.send(encodeFrame(message, payload));
  }

  /** Becomes a member, as honest ones do. */
  join(name = 'hostile', threads = 1): void {
    this.say(hello(name, threads));
    this.say(ready);
  }

  /** Waits for the coordinator to have read all that was sent, or to have ended it. */
  async heard(): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.ping();
    const answered = once(this.socket, 'pong').catch(() => undefined);
    await within(Promise.race([answered, this.cutOff]), 'a sign of life of the coordinator');
  }

  /** The next work that it is asked for, or undefined if the connection ends before. */
  async nextWork(): Promise<Work | undefined> {
    while (!this.work && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const { work } = this;
    this.work = undefined;
    return work;
  }

  close(): void {
    this.socket.terminate();
  }

  #hear(message: CoordinatorMessage): void {
    if (message.type === 'refused') this.#reason = message.reason;
    if (message.type === 'welcome') this.shards = message.data.shards;
    if (message.type === 'work') {
      this.work = message;
      this.#wake();
    }
  }
}
