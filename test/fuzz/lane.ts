import { isDeepStrictEqual } from 'node:util';
import { connect } from '../../dist/worker/connect.js';
import { startEngine, type WorkerEngine } from '../../dist/worker/engine.js';
import { Session, type SessionEnd } from '../../dist/worker/session.js';
import type { ThreadPool } from '../../dist/src/threads/pool.js';
import { ShardCache } from '../../dist/src/data/shard-cache.js';
import type { Welcome } from '../../src/protocol/protocol.js';
import { parseCoordinatorUrl } from '../../worker/url.js';
import type { TinyRun } from '../e2e/support/tiny-run.js';
import { type HostileCoordinator, HostileServer } from './hostile-coordinator.js';
import { within } from './within.js';

type Attack = (coordinator: HostileCoordinator) => Promise<void>;

/** Workers in this process, one after the other, each on a real connection to an attacker. */
export class Lane {
  readonly #run: TinyRun;
  readonly #server: HostileServer;
  readonly #cache: ShardCache;
  /** The threads of the true run, which its sessions share. */
  #shared: WorkerEngine | undefined;
  #onWorker: (coordinator: HostileCoordinator) => void = () => undefined;

  private constructor(run: TinyRun, server: HostileServer, cache: string) {
    this.#run = run;
    this.#server = server;
    this.#cache = new ShardCache(cache);
  }

  static async open(run: TinyRun, cache: string): Promise<Lane> {
    const server = await HostileServer.listen(
      (coordinator) => {
        lane.#onWorker(coordinator);
      },
      (_, response) => response.end(run.shard),
    );
    const lane: Lane = new Lane(run, server, cache);
    lane.#shared = await lane.#start(run.welcome, run.module);
    oneAtATime(lane.#shared.pool);
    return lane;
  }

  /** A worker's session from its connection to its end, while it is attacked. */
  async session(attack: Attack): Promise<{ end: SessionEnd | Error; sent: number }> {
    const { signal } = new AbortController();
    const attacked = new Promise<number>((resolve, reject) => {
      this.#onWorker = (coordinator) => {
        attack(coordinator).then(() => {
          resolve(coordinator.sent);
        }, reject);
      };
    });
    const socket = await connect(parseCoordinatorUrl(this.#server.url), null, signal);
    if (!socket) throw new Error('There was no connection.');
    const engines: WorkerEngine[] = [];
    let over = false;
    const session = new Session(socket, {
      name: 'victim',
      threads: 1,
      engine: 'auto',
      price: null,
      engineFor: async (welcome, module) => {
        const engine = this.#sharedFor(welcome, module) ?? (await this.#start(welcome, module));
        if (engine !== this.#shared) engines.push(engine);
        if (over) await Promise.all(engines.splice(0).map(({ pool }) => pool.close()));
        return engine;
      },
      onJoined: () => undefined,
      onStanding: () => undefined,
      signal,
    });
    const end = await within(
      session.run().catch((error: unknown) => error as Error),
      'the end of a session',
    );
    over = true;
    const sent = await within(attacked, 'the end of an attack');
    await Promise.all(engines.splice(0).map(({ pool }) => pool.close()));
    return { end, sent };
  }

  async close(): Promise<void> {
    this.#server.close();
    await this.#shared?.pool.close();
  }

  #sharedFor(welcome: Welcome, module: Uint8Array): WorkerEngine | undefined {
    const { welcome: mine, module: bytes } = this.#run;
    const same = isDeepStrictEqual({ ...welcome, run: mine.run }, mine);
    return same && Buffer.compare(module, bytes) === 0 ? this.#shared : undefined;
  }

  #start(welcome: Welcome, module: Uint8Array): Promise<WorkerEngine> {
    return startEngine(
      welcome,
      module,
      { engine: 'wasm', threads: 1 },
      {
        url: parseCoordinatorUrl(this.#server.url),
        token: null,
        cache: this.#cache,
        onNotice: () => undefined,
        signal: new AbortController().signal,
      },
    );
  }
}

/** A session may still compute when the next one begins; real ones have threads of their own. */
function oneAtATime(pool: ThreadPool): void {
  const range = pool.range.bind(pool);
  let before: Promise<unknown> = Promise.resolve();
  pool.range = (...job) => {
    const next = before.then(() => range(...job));
    before = next.catch(() => undefined);
    return next;
  };
}
