import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeFrame } from '../../src/protocol/frame.js';
import { coordinatorMessage, workerMessage } from '../../src/protocol/protocol.js';

/** Answers that are kept, to be said again by others. */
const KEPT = 8;

/**
 * Stands between an honest worker and its coordinator and lets work through up to a step, so that
 * the run lasts as long as an attack on it.
 */
export class Turnstile {
  readonly url: string;
  /** The honest worker's last answers, as frames. */
  readonly answers: Buffer[] = [];
  /** How often the coordinator gets each answer. */
  copies = 1;
  /** Answers that the coordinator got more than once. */
  duplicates = 0;
  /** The last step of which work has come, whether it may go through or not. */
  step = -1;
  readonly #open = new Set<() => void>();
  readonly #close: () => void;
  #steps = 0;
  #come: (() => void) | undefined;

  private constructor(port: number, close: () => void) {
    this.url = `ws://127.0.0.1:${port}`;
    this.#close = close;
  }

  static async before(coordinator: string): Promise<Turnstile> {
    const http = createServer((asked, answer) => {
      passOn(coordinator, asked, answer);
    });
    const server = new WebSocketServer({ server: http, maxPayload: 0 });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const turnstile = new Turnstile((http.address() as AddressInfo).port, () => {
      for (const socket of server.clients) socket.terminate();
      http.closeAllConnections();
      http.close();
    });
    server.on('connection', (worker: WebSocket, { url, headers }: IncomingMessage) => {
      const { authorization } = headers;
      const options = { headers: authorization === undefined ? {} : { authorization } };
      turnstile.#connect(worker, new WebSocket(`${coordinator}${url ?? ''}`, options));
    });
    return turnstile;
  }

  /** Lets the work of the first so many steps through. */
  allow(steps: number): void {
    this.#steps = steps;
    for (const pump of this.#open) pump();
  }

  /** Resolves when work of this step, or a later one, has come. */
  async reached(step: number): Promise<void> {
    while (this.step < step) {
      await new Promise<void>((resolve) => {
        this.#come = resolve;
      });
    }
  }

  close(): void {
    this.#close();
  }

  #connect(worker: WebSocket, coordinator: WebSocket): void {
    const early: Buffer[] = [];
    const waiting: Buffer[] = [];
    let over = false;
    const pump = (): void => {
      for (let frame = waiting[0]; frame && this.#mayPass(frame); frame = waiting[0]) {
        worker.send(frame);
        waiting.shift();
      }
      if (over && waiting.length === 0) worker.close(1000);
    };
    this.#open.add(pump);
    coordinator.on('message', (frame: Buffer) => {
      this.#look(frame);
      waiting.push(frame);
      pump();
    });
    coordinator.on('ping', () => {
      worker.ping();
    });
    coordinator.on('open', () => {
      for (const frame of early.splice(0)) coordinator.send(frame);
    });
    coordinator.on('error', () => undefined);
    coordinator.on('close', () => {
      over = true;
      pump();
    });
    worker.on('message', (frame: Buffer) => {
      const copies = this.#note(frame);
      for (let copy = 0; copy < copies; copy++) {
        if (coordinator.readyState === WebSocket.OPEN) coordinator.send(frame);
        else early.push(frame);
      }
    });
    worker.on('close', () => {
      this.#open.delete(pump);
      coordinator.close();
    });
  }

  #look(frame: Buffer): void {
    const step = stepOfWork(frame);
    if (step === undefined) return;
    this.step = step;
    this.#come?.();
  }

  /** Whether a frame may go to the worker now. */
  #mayPass(frame: Buffer): boolean {
    return (stepOfWork(frame) ?? -1) < this.#steps;
  }

  /** Looks at what the worker says; how often it is to be passed on. */
  #note(frame: Buffer): number {
    if (decodeFrame(workerMessage, frame).message.type !== 'pieces') return 1;
    this.answers.push(frame);
    if (this.answers.length > KEPT) this.answers.shift();
    this.duplicates += this.copies - 1;
    return this.copies;
  }
}

/** The step that a frame gives work for; undefined if it is anything else. */
function stepOfWork(frame: Buffer): number | undefined {
  const { message } = decodeFrame(coordinatorMessage, frame);
  return message.type === 'work' ? message.step : undefined;
}

function passOn(coordinator: string, asked: IncomingMessage, answer: ServerResponse): void {
  const { method, headers, url = '' } = asked;
  const target = coordinator.replace(/^ws/, 'http') + url;
  const upstream = request(target, { method, headers }, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answer);
  });
  upstream.on('error', () => answer.destroy());
  upstream.end();
}
