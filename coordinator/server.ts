import { createHash, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Duplex, pipeline, Readable } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Shard } from '../src/data/shards.js';
import { DtrainError, reasonOf, systemCode } from '../src/errors.js';
import { limits, paths } from '../src/protocol/protocol.js';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** What a worker must know to be let in; anyone may come without one. */
  readonly token: string | null;
  /** Bytes of the largest frame that a worker may send. */
  readonly largestFrame: number;
  /** Shards by their SHA-256. */
  readonly shards: ReadonlyMap<string, Pick<Shard, 'bytes' | 'content'>>;
  /** @param address of the other side */
  readonly onConnection: (socket: WebSocket, address: string) => void;
  /** A shard of so many bytes is sent. */
  readonly onShard?: (bytes: number) => void;
}

/** The coordinator's one port: WebSocket for workers, HTTP for shards. */
export class CoordinatorServer {
  readonly #options: ServerOptions;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;

  private constructor(options: ServerOptions) {
    this.#options = options;
    const sockets = {
      noServer: true,
      maxPayload: options.largestFrame,
      maxFragments: limits.fragments,
      closeTimeout: limits.closeMs,
      perMessageDeflate: false,
    };
    this.#sockets = new WebSocketServer(sockets);
    this.#http = createServer(
      {
        headersTimeout: limits.handshakeMs,
        requestTimeout: limits.handshakeMs,
        connectionsCheckingInterval: limits.handshakeMs / 4,
      },
      (request, response) => {
        this.#answer(request, response);
      },
    );
    this.#http.maxConnections = limits.connections;
    // Of a transfer that stands still; WebSockets have their own limit.
    this.#http.setTimeout(limits.stallMs);
    this.#http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgrade(request, socket, head);
    });
  }

  /** @throws DtrainError PORT_IN_USE, HOST_UNKNOWN, LISTEN_FAILED */
  static async listen(options: ServerOptions): Promise<CoordinatorServer> {
    const server = new CoordinatorServer(options);
    const { host, port } = options;
    try {
      await new Promise<void>((resolve, reject) => {
        server.#http.once('error', reject);
        server.#http.listen(port, host, resolve);
      });
    } catch (error) {
      throw listenFailed(host, port, error);
    }
    return server;
  }

  /** The port it listens on. */
  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  /** Stops listening and ends every connection: in order if its other side does, else by force. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#http.close(resolve));
    for (const socket of this.#sockets.clients) socket.close(1000);
    const force = setTimeout(() => {
      for (const socket of this.#sockets.clients) socket.terminate();
      this.#http.closeAllConnections();
    }, limits.closeMs);
    this.#http.closeIdleConnections();
    await closed;
    clearTimeout(force);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const pathname = pathOf(request);
    if (pathname === paths.health) {
      response.end('ok\n');
      return;
    }
    if (!this.#allowed(request)) {
      response.writeHead(401).end('A token is needed, and this is not it.\n');
      return;
    }
    const shard = pathname.startsWith(paths.shards)
      ? this.#options.shards.get(pathname.slice(paths.shards.length))
      : undefined;
    if (!shard || request.method !== 'GET') {
      response.writeHead(404).end('There is no such thing here.\n');
      return;
    }
    const { bytes, content } = shard;
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': bytes,
    });
    this.#options.onShard?.(bytes);
    const source = 'path' in content ? createReadStream(content.path) : Readable.from(content);
    // Whatever ends it early, the worker sees that something is missing.
    pipeline(source, response, () => undefined);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const pathname = pathOf(request);
    const refusal = this.#refusal(pathname, request);
    if (refusal) {
      // The server knows the socket no longer, so nobody else would end it.
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => {
        socket.destroy();
      });
      return;
    }
    const address = request.socket.remoteAddress ?? '';
    this.#sockets.handleUpgrade(request, socket, head, (connected) => {
      this.#options.onConnection(connected, address);
    });
  }

  #refusal(pathname: string, request: IncomingMessage): string | undefined {
    if (pathname !== paths.socket) return '404 Not Found';
    if (fromAnotherSite(request)) return '403 Forbidden';
    if (!this.#allowed(request)) return '401 Unauthorized';
    if (this.#sockets.clients.size >= limits.workers) return '503 Service Unavailable';
    return undefined;
  }

  #allowed(request: IncomingMessage): boolean {
    const { token } = this.#options;
    if (token === null) return true;
    return sameText(request.headers.authorization ?? '', `Bearer ${token}`);
  }
}

/** A browser says which page a request comes from; other pages than ours have no business here. */
function fromAnotherSite({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  return origin !== undefined && origin !== `http://${host ?? ''}`;
}

/** What stands before the query. A request's target is anybody's text: it need not be a URL. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}

/** In a time that tells nothing about where they differ. */
function sameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

function listenFailed(host: string, port: number, cause: unknown): DtrainError {
  switch (systemCode(cause)) {
    case 'EADDRINUSE':
      return new DtrainError(
        'PORT_IN_USE',
        `Port ${port} on ${host} is in use: choose another with --port, or 0 for any free one.`,
        { cause },
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EADDRNOTAVAIL':
      return new DtrainError(
        'HOST_UNKNOWN',
        `${host} is not an address of this machine: check --host (0.0.0.0 listens on every one).`,
        { cause },
      );
    default: {
      const reason = reasonOf(cause);
      return new DtrainError('LISTEN_FAILED', `Cannot listen on ${host}:${port}: ${reason}.`, {
        cause,
      });
    }
  }
}
