import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface SlowLinkOptions {
  /** Seconds, one way. */
  readonly latency: number;
  /** Bytes a second, each way. */
  readonly bandwidth: number;
}

/** A cable to a port of this machine which is longer and thinner than it has to be. */
export class SlowLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on a free port and leads to `port`. */
  static async to(port: number, options: SlowLinkOptions): Promise<SlowLink> {
    const server = createServer();
    const link = new SlowLink(server);
    server.on('connection', (near) => {
      const far = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        link.#sockets.add(from);
        from.setNoDelay(true);
        carry(from, to, options);
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Bytes leave one after the other at the link's bandwidth, and arrive its latency later. */
function carry(from: Socket, to: Socket, { latency, bandwidth }: SlowLinkOptions): void {
  let free = 0;
  /** What is on its way, in order: timers alone would not keep it. */
  const queue: { readonly due: number; readonly arrive: () => void }[] = [];
  const deliver = (): void => {
    for (let [first] = queue; first && first.due <= performance.now(); [first] = queue) {
      queue.shift();
      first.arrive();
    }
    const [next] = queue;
    if (next) setTimeout(deliver, next.due - performance.now());
  };
  const send = (bytes: number, arrive: () => void): void => {
    free = Math.max(free, performance.now()) + (bytes / bandwidth) * 1000;
    queue.push({ due: free + latency * 1000, arrive });
    if (queue.length === 1) deliver();
  };
  from.on('data', (bytes: Buffer) => {
    send(bytes.length, () => to.write(bytes));
  });
  from.on('error', () => undefined);
  from.on('close', () => {
    send(0, () => to.end());
  });
}
