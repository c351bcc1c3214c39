import type { CoordinatorConfig } from '../src/config/types.js';
import { microBatchesOf } from '../src/data/batches.js';
import { cutShards } from '../src/data/shards.js';
import type { WorkerEvent } from '../src/events.js';
import { sizeOf } from '../src/model/model.js';
import { encodeFrame } from '../src/protocol/frame.js';
import {
  type CoordinatorMessage,
  largestWorkerFrame,
  type Welcome,
} from '../src/protocol/protocol.js';
import type { PreparedRun } from './prepare.js';
import { RemoteWorker, type Traffic } from './remote-worker.js';
import { CoordinatorServer } from './server.js';
import type { Training } from './training.js';

export interface FleetOptions {
  readonly config: CoordinatorConfig;
  /** What a worker must know to join; null if nothing. */
  readonly token: string | null;
  readonly run: string;
  readonly prepared: PreparedRun;
  readonly training: Training;
  readonly onEvent: (event: WorkerEvent) => void;
  readonly onNotice: (sentence: string) => void;
}

/** The remote workers of a run, and the port where they come in. */
export class Fleet {
  readonly #server: CoordinatorServer;
  readonly #workers: Set<RemoteWorker>;
  readonly #traffic: Traffic;

  private constructor(server: CoordinatorServer, workers: Set<RemoteWorker>, traffic: Traffic) {
    this.#server = server;
    this.#workers = workers;
    this.#traffic = traffic;
  }

  /** Starts to listen. */
  static async listen(options: FleetOptions): Promise<Fleet> {
    const { config, token, prepared } = options;
    const { model, plan } = prepared;
    const workers = new Set<RemoteWorker>();
    const traffic = { sent: 0, received: 0 };
    const shards = cutShards(prepared.dataset.train, sizeOf(prepared.dataset.shape));
    const welcome = welcomeFrame(
      options,
      shards.map(({ sha256, count }) => ({ sha256, count })),
    );
    const server = await CoordinatorServer.listen({
      host: config.host,
      port: config.port,
      token,
      largestFrame: largestWorkerFrame(model.parameterCount, microBatchesOf(plan.batch)),
      shards: new Map(shards.map(({ sha256, parts }) => [sha256, parts])),
      onConnection: (socket) => {
        acceptWorker(options, { workers, traffic }, welcome, socket);
      },
    });
    return new Fleet(server, workers, traffic);
  }

  get port(): number {
    return this.#server.port;
  }

  /** Bytes of the frames that went to workers and came from them; a copy. */
  get traffic(): Readonly<Traffic> {
    return { ...this.#traffic };
  }

  /** Tells the workers how the run ended, and stops listening. */
  async close(outcome: (CoordinatorMessage & { type: 'done' })['outcome']): Promise<void> {
    const frame = encodeFrame({ type: 'done', outcome } satisfies CoordinatorMessage);
    for (const worker of this.#workers) worker.end(frame);
    await this.#server.close();
  }
}

function acceptWorker(
  { prepared, training, onEvent, onNotice }: FleetOptions,
  { workers, traffic }: { readonly workers: Set<RemoteWorker>; readonly traffic: Traffic },
  welcome: Buffer,
  socket: ConstructorParameters<typeof RemoteWorker>[0],
): void {
  const worker: RemoteWorker = new RemoteWorker(socket, {
    training,
    welcome,
    traffic,
    pool: prepared.pool,
    plan: prepared.plan,
    parameterCount: prepared.model.parameterCount,
    onAction: (action, reason) => {
      onEvent({
        event: 'worker',
        action,
        name: worker.name,
        threads: worker.threads,
        // A newcomer is announced before it is given work.
        workers: training.workers + (action === 'joined' ? 1 : 0),
        ...(reason !== undefined && { reason }),
      });
    },
    onRefused: (reason) => {
      onNotice(`A worker was refused: ${reason}.`);
    },
    onClosed: () => {
      workers.delete(worker);
    },
  });
  workers.add(worker);
}

function welcomeFrame(
  { config, run, prepared }: FleetOptions,
  shards: Welcome['data']['shards'],
): Buffer {
  const { model, compiled, table } = prepared;
  const message: Welcome = {
    type: 'welcome',
    run,
    model: model.spec,
    optimizer: config.optimizer,
    seed: config.seed,
    batch: config.batch,
    validation: config.validation,
    augment: config.augment,
    module: { sha256: compiled.sha256, workSize: compiled.program.workSize },
    data: { table: Array.from(table), shards },
  };
  return encodeFrame(message, compiled.bytes);
}
