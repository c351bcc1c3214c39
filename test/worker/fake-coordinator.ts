import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { decodeFrame, encodeFrame, type Frame } from '../../src/protocol/frame.js';
import {
  type CoordinatorMessage,
  type WorkerMessage,
  workerMessage,
} from '../../src/protocol/protocol.js';

/** The coordinator's side of one connection, in the hands of a test. */
export class FakeCoordinator {
  readonly socket: WebSocket;
  readonly #arrived: Frame<WorkerMessage>[] = [];
  #waiting: ((frame: Frame<WorkerMessage> | undefined) => void) | undefined;
  /** The code with which the connection was closed. */
  readonly closed: Promise<number>;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const frame = decodeFrame(workerMessage, data);
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting) waiting(frame);
      else this.#arrived.push(frame);
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => {
        this.#waiting?.(undefined);
        resolve(code);
      });
    });
  }

  say(message: CoordinatorMessage, ...payload: readonly Uint8Array[]): void {
    this.socket.send(encodeFrame(message, ...payload));
  }

  /** The next message, which has to be of this type. */
  async next<T extends WorkerMessage['type']>(
    type: T,
  ): Promise<{ message: WorkerMessage & { type: T }; payload: Uint8Array }> {
    const frame = this.#arrived.shift() ?? (await this.#later());
    if (frame?.message.type !== type) {
      throw new Error(`${frame?.message.type ?? 'the end'} instead of ${type}`);
    }
    return frame as Frame<WorkerMessage & { type: T }>;
  }

  #later(): Promise<Frame<WorkerMessage> | undefined> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}

/** Waits for workers on a free port, for the running test. */
export async function fakeCoordinator(): Promise<{
  port: number;
  next: () => Promise<FakeCoordinator>;
}> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/ws' });
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const connections: FakeCoordinator[] = [];
  let wake: () => void = () => undefined;
  server.on('connection', (socket: WebSocket) => {
    connections.push(new FakeCoordinator(socket));
    wake();
  });
  return {
    port: (server.address() as { port: number }).port,
    next: async () => {
      for (;;) {
        const connection = connections.shift();
        if (connection) return connection;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
