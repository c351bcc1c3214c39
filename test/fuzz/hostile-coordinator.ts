import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { encodeFrame } from '../../src/protocol/frame.js';
import type { CoordinatorMessage } from '../../src/protocol/protocol.js';
import { within } from './within.js';

/** What answers at a path of shards. */
export type ShardServer = (request: IncomingMessage, response: ServerResponse) => void;

/** One worker's connection in the hands of an attacker. */
export class HostileCoordinator {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  /** Frames that it has sent. */
  sent = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('message', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', resolve);
    });
  }

  /** Waits for the worker's next message, or the end. */
  async heard(): Promise<void> {
    const message = once(this.socket, 'message').catch(() => undefined);
    await Promise.race([message, this.closed]);
  }

  /** Waits for the worker to have heard all that was said, or the end. */
  async pong(): Promise<void> {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.socket.ping();
    const pong = once(this.socket, 'pong').catch(() => undefined);
    await within(Promise.race([pong, this.closed]), 'a sign of life of the worker');
  }

  send(frame: Buffer | string): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.socket.send(frame);
    this.sent += 1;
  }

  say(message: CoordinatorMessage, ...payload: readonly Uint8Array[]): void {
    this.send(encodeFrame(message, ...payload));
  }
}

/** Listens as a coordinator does, and does with each worker what an attacker wants. */
export class HostileServer {
  readonly port: number;
  readonly url: string;
  readonly #close: () => void;

  private constructor(port: number, close: () => void) {
    this.port = port;
    this.url = `ws://127.0.0.1:${port}`;
    this.#close = close;
  }

  static async listen(
    onWorker: (coordinator: HostileCoordinator) => void,
    shards: ShardServer = () => undefined,
  ): Promise<HostileServer> {
    const http = createServer(shards);
    const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
    sockets.on('connection', (socket) => {
      onWorker(new HostileCoordinator(socket));
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new HostileServer((http.address() as AddressInfo).port, () => {
      for (const socket of sockets.clients) socket.terminate();
      http.closeAllConnections();
      http.close();
    });
  }

  close(): void {
    this.#close();
  }
}
