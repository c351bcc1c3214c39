import type { CoordinatorConfig } from '../src/config/types.js';
import { microBatchesOf } from '../src/data/batches.js';
import { cutShards } from '../src/data/shards.js';
import type { WorkerEvent } from '../src/events.js';
import type { Pricing } from '../src/cost/pricing.js';
import { encodeFrame } from '../src/protocol/frame.js';
import {
  type CoordinatorMessage,
  largestWorkerFrame,
  limits,
  type RunEnding,
  type Welcome,
} from '../src/protocol/protocol.js';
import type { PreparedRun } from './prepare.js';
import type { Traffic } from './core-messages.js';
import { RemoteWorker, type RemoteWorkerOptions, type WorkerHost } from './remote-worker.js';
import { CoordinatorServer } from './server.js';

export interface FleetOptions {
  readonly config: Pick<
    CoordinatorConfig,
    'host' | 'port' | 'optimizer' | 'seed' | 'batch' | 'validation' | 'augment'
  >;
  /** What a worker must know to join; null if nothing. */
  readonly token: string | null;
  readonly run: string;
  readonly prepared: PreparedRun;
  readonly training: WorkerHost;
  readonly pricing: Pricing;
  readonly onEvent: (event: WorkerEvent) => void;
  /** Somebody was turned away. */
  readonly onRefused: (reason: string) => void;
}

/** The remote workers of a run, and the port where they come in. */
export class Fleet {
  readonly #server: CoordinatorServer;
  readonly #workers: Set<RemoteWorker>;
  readonly #training: WorkerHost;

  private constructor(server: CoordinatorServer, workers: Set<RemoteWorker>, training: WorkerHost) {
    this.#server = server;
    this.#workers = workers;
    this.#training = training;
  }

  /** Starts to listen. */
  static async listen(options: FleetOptions): Promise<Fleet> {
    const { config, token, prepared, training } = options;
    const { model, plan } = prepared;
    const workers = new Set<RemoteWorker>();
    const shards = cutShards(prepared.dataset.train);
    const welcome = welcomeFrame(
      options,
      shards.map(({ sha256, count }) => ({ sha256, count })),
    );
    const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
    const prepareMs = limits.prepare.ms + bytes * limits.prepare.msPerByte;
    const server = await CoordinatorServer.listen({
      host: config.host,
      port: config.port,
      token,
      largestFrame: largestWorkerFrame(model.parameterCount, microBatchesOf(plan.batch)),
      shards: new Map(shards.map((shard) => [shard.sha256, shard])),
      onShard: (bytes) => {
        training.traffic.sent += bytes;
      },
      onConnection: (socket, address) => {
        acceptWorker(options, workers, { welcome, prepareMs }, socket, address);
      },
    });
    return new Fleet(server, workers, training);
  }

  get port(): number {
    return this.#server.port;
  }

  /** Bytes that went to workers and came from them, as messages and as data; a copy. */
  get traffic(): Readonly<Traffic> {
    return { ...this.#training.traffic };
  }

  /** Sends the workers home, since the run has reached a limit: they cost nothing any more. */
  dismiss(): void {
    const frame = doneFrame('limit');
    for (const worker of this.#workers) worker.dismiss(frame);
  }

  /** Tells the workers how the run ended, and stops listening. */
  async close(outcome: RunEnding): Promise<void> {
    const frame = doneFrame(outcome);
    for (const worker of this.#workers) worker.end(frame);
    await this.#server.close();
  }
}

function doneFrame(outcome: RunEnding): Buffer {
  return encodeFrame({ type: 'done', outcome } satisfies CoordinatorMessage);
}

function acceptWorker(
  { prepared, training, pricing, onEvent, onRefused }: FleetOptions,
  workers: Set<RemoteWorker>,
  beginning: Pick<RemoteWorkerOptions, 'welcome' | 'prepareMs'>,
  socket: ConstructorParameters<typeof RemoteWorker>[0],
  address: string,
): void {
  const worker: RemoteWorker = new RemoteWorker(socket, {
    training,
    pricing,
    ...beginning,
    address,
    pool: prepared.pool,
    plan: prepared.plan,
    parameterCount: prepared.model.parameterCount,
    arithmetic: prepared.engine.arithmetic,
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
    onRefused,
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
  const { model, compiled, engine, table } = prepared;
  const message: Welcome = {
    type: 'welcome',
    run,
    arithmetic: engine.arithmetic,
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
