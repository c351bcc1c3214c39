import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeFrame, encodeFrame } from '../../../src/protocol/frame.js';
import {
  coordinatorMessage,
  type CoordinatorMessage,
  workerMessage,
  type WorkerMessage,
} from '../../../src/protocol/protocol.js';

/** A coordinator of the test's own, for one worker. */
export class FakeCoordinator {
  readonly url: string;
  readonly #close: () => Promise<void>;
  readonly #received: { message: WorkerMessage; payload: Uint8Array }[] = [];
  #wake: () => void = () => undefined;
  #socket: WebSocket | undefined;

  private constructor(port: number, close: () => Promise<void>) {
    this.url = `ws://127.0.0.1:${port}`;
    this.#close = close;
  }

  static async listen(
    answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined,
  ): Promise<FakeCoordinator> {
    const http = createServer(answer).listen(0, '127.0.0.1');
    await once(http, 'listening');
    const sockets = new WebSocketServer({ server: http });
    const fake = new FakeCoordinator((http.address() as AddressInfo).port, async () => {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    });
    sockets.on('connection', (socket) => {
      fake.#socket = socket;
      socket.on('message', (data) => {
        fake.#received.push(decodeFrame(workerMessage, data as Buffer));
        fake.#wake();
      });
    });
    return fake;
  }

  say(message: CoordinatorMessage, ...payload: readonly Uint8Array[]): void {
    this.#socket?.send(encodeFrame(message, ...payload));
  }

  /** The worker's next message. */
  async next(): Promise<{ message: WorkerMessage; payload: Uint8Array }> {
    for (;;) {
      const received = this.#received.shift();
      if (received) return received;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/** Opens a connection to a coordinator as a worker does, says one thing, and hears the answer. */
export async function sayToCoordinator(
  url: string,
  message: object,
): Promise<{ message: CoordinatorMessage; code: number }> {
  const socket = new WebSocket(`${url}/ws`, { perMessageDeflate: false });
  await once(socket, 'open');
  socket.send(encodeFrame(message));
  const closed = once(socket, 'close') as Promise<[number]>;
  const [data] = (await once(socket, 'message')) as [Buffer];
  const answer = decodeFrame(coordinatorMessage, data).message;
  if (answer.type !== 'refused') socket.terminate();
  const [code] = await closed;
  return { message: answer, code };
}
