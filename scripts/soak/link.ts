import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A cable between a worker and the coordinator, which can be cut and pulled. */
export class Link {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #pulled = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on a free port and leads to `port`, both of this machine. */
  static async to(port: number): Promise<Link> {
    const server = createServer();
    const link = new Link(server);
    server.on('connection', (near) => {
      const far = connect(port, '127.0.0.1');
      const pair = [near, far] as const;
      link.#pairs.add(pair);
      for (const [from, to] of [pair, [far, near] as const]) {
        from.setNoDelay(true);
        from.on('error', () => undefined);
        from.on('data', (bytes) => {
          // A pulled cable carries nothing, and tells nobody.
          if (!link.#pulled && !to.write(bytes)) from.pause();
        });
        to.on('drain', () => from.resume());
        from.on('close', () => {
          to.destroy();
          link.#pairs.delete(pair);
        });
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection. */
  cut(): void {
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /** Loses what is sent from now on, in both directions, until `plug`. */
  pull(): void {
    this.#pulled = true;
  }

  /** Carries again. What was lost leaves old connections torn, so they end. */
  plug(): void {
    this.#pulled = false;
    this.cut();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}
