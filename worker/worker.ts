import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { ShardCache } from '../src/data/shard-cache.js';
import { ownPrice } from '../src/cost/own-price.js';
import { type Price, priceText } from '../src/cost/price.js';
import type { WorkerConfig } from '../src/config/types.js';
import { engineText } from '../src/engine/engine-text.js';
import { DtrainError } from '../src/errors.js';
import { parseRunModel } from '../src/engine/run-model.js';
import { limits, type RunEnding, type Welcome } from '../src/protocol/protocol.js';
import { connect } from './connect.js';
import { startEngine, type WorkerEngine } from './engine.js';
import { Session, type SessionEnd } from './session.js';
import { type CoordinatorUrl, parseCoordinatorUrl } from './url.js';

export interface WorkerListeners {
  /** One sentence for people. */
  readonly onNotice: (sentence: string) => void;
  /** Leaves the run. */
  readonly signal: AbortSignal;
}

/** How a worker's work ended: as the run did, or before it. */
export type WorkerEnding = RunEnding | 'left' | 'released';

/**
 * Works for the coordinator at `address` until its run is over, and waits while it is away.
 * @throws DtrainError USAGE, HOST_UNKNOWN, REFUSED, COORDINATOR_GONE, …
 */
export async function runWorker(
  address: string,
  config: WorkerConfig,
  listeners: WorkerListeners,
): Promise<WorkerEnding> {
  const url = parseCoordinatorUrl(address);
  const worker = new Worker(url, config, await ownPrice(config), listeners);
  try {
    return await worker.run();
  } finally {
    await worker.close();
  }
}

class Worker {
  readonly #url: CoordinatorUrl;
  readonly #config: WorkerConfig;
  readonly #price: Price | null;
  readonly #listeners: WorkerListeners;
  readonly #cache = new ShardCache();
  /** The last connection got as far as work: only then does patience begin anew. */
  #joined = false;
  #spare = false;
  /** What the threads were started for: a coordinator that comes back finds them ready. */
  #engine: { readonly key: string; readonly engine: WorkerEngine } | undefined;

  constructor(
    url: CoordinatorUrl,
    config: WorkerConfig,
    price: Price | null,
    listeners: WorkerListeners,
  ) {
    this.#url = url;
    this.#config = config;
    this.#price = price;
    this.#listeners = listeners;
  }

  async run(): Promise<WorkerEnding> {
    const patience = this.#config.patience * 1000;
    const { onNotice, signal } = this.#listeners;
    let awaySince = performance.now();
    let delay: number = limits.retryMs.first;
    let told = false;
    let stopped = false;
    while (!signal.aborted) {
      const end = await this.#connectOnce();
      if (end?.type === 'left') break;
      if (end?.type === 'released') {
        onNotice(`Not needed any more: ${end.reason}.`);
        return 'released';
      }
      if (end?.type === 'done') {
        if (end.outcome !== 'stopped' || patience === 0) return end.outcome;
        onNotice(`The run was stopped; waiting ${durationText(patience)} for it to go on.`);
      } else if (end?.type === 'lost' && (this.#joined || !told)) {
        onNotice(`The connection to ${this.#url.text} was lost; trying again.`);
      }
      told ||= end !== undefined;
      if (this.#joined) {
        this.#joined = false;
        stopped = end?.type === 'done';
        awaySince = performance.now();
        delay = limits.retryMs.first;
      }
      if (performance.now() - awaySince + delay > patience) {
        if (stopped) return 'stopped';
        throw this.#gone();
      }
      if (!told) onNotice(`Waiting for a coordinator at ${this.#url.text}.`);
      told = true;
      await pause(delay, undefined, { signal }).catch(() => undefined);
      delay = Math.min(delay * 2, limits.retryMs.longest);
    }
    return 'left';
  }

  async close(): Promise<void> {
    await this.#engine?.engine.pool.close();
  }

  /** How the connection ended, or undefined if there was none to be had. */
  async #connectOnce(): Promise<SessionEnd | undefined> {
    const { onNotice, signal } = this.#listeners;
    const socket = await connect(this.#url, this.#config.token, signal);
    if (!socket) return undefined;
    const { threads, name, engine: choice } = this.#config;
    const session = new Session(socket, {
      name: name ?? defaultName(),
      threads,
      engine: choice,
      price: this.#price,
      engineFor: (welcome, module) => this.#engineFor(welcome, module),
      onJoined: (run, engine) => {
        this.#joined = true;
        this.#spare = false;
        const plural = threads === 1 ? '' : 's';
        const cost = this.#price ? `, at ${priceText(this.#price)}` : '';
        onNotice(
          `Joined ${run} at ${this.#url.text} with ${threads} thread${plural}, ${engineText(engine.name, engine.note, engine.arithmetic)}${cost}.`,
        );
      },
      onStanding: (spare) => {
        if (spare === this.#spare) return;
        this.#spare = spare;
        onNotice(
          spare
            ? 'A spare for now: the run does better without this worker. Standing by.'
            : 'Computing again.',
        );
      },
      signal,
    });
    try {
      return await session.run();
    } catch (error) {
      if (error instanceof DtrainError && error.code === 'COORDINATOR_GONE')
        return { type: 'lost' };
      throw error;
    }
  }

  async #engineFor(welcome: Welcome, module: Uint8Array): Promise<WorkerEngine> {
    const { spec } = parseRunModel(welcome.model);
    const key = JSON.stringify({ ...welcome, model: spec, run: undefined });
    if (this.#engine?.key === key) return this.#engine.engine;
    await this.close();
    this.#engine = undefined;
    const { token } = this.#config;
    const { onNotice, signal } = this.#listeners;
    const source = { url: this.#url, token, cache: this.#cache, onNotice, signal };
    const engine = await startEngine(welcome, module, this.#config, source);
    this.#engine = { key, engine };
    // Whoever left meanwhile does not wait for this engine any more.
    if (signal.aborted) await this.close();
    return engine;
  }

  #gone(): DtrainError {
    return new DtrainError(
      'COORDINATOR_GONE',
      `There is no coordinator at ${this.#url.text}, and --patience is over: check that it runs and that its port can be reached.`,
    );
  }
}

/** Milliseconds as `10 min` or `90 s`. */
function durationText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** The host's name as a worker may be called. */
function defaultName(): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^\.+/, '');
  return `${host.slice(0, 50) || 'worker'}-${process.pid}`;
}
