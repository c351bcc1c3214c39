import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { DtrainError, reasonOf } from '../src/errors.js';

const entry = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));

/** How long a worker whose run is over may take to end by itself, in milliseconds. */
const PARTING_MS = 2_000;
/** Characters of a worker's last words. */
const LAST_WORDS = 2_000;

export interface WorkerOptions {
  readonly url: string;
  readonly token: string | null;
  readonly engine: string;
}

/**
 * `dtrain worker` processes of one thread each. None outlives this process: without their
 * coordinator they have no patience, and whatever ends this process in order ends them first.
 */
export class WorkerProcesses {
  /** Rejects when one of them ends before `close`. */
  readonly failed: Promise<never>;
  readonly #children: readonly ChildProcess[];
  readonly #ended: Promise<unknown>;
  #closing = false;
  readonly #killAll = (): void => {
    for (const child of this.#children) child.kill('SIGKILL');
  };

  constructor(count: number, options: WorkerOptions) {
    process.on('exit', this.#killAll);
    this.#children = Array.from({ length: count }, (_, index) => start(index, options));
    this.failed = Promise.race(this.#children.map((child) => this.#failure(child)));
    // Whoever waits for it sees it.
    this.failed.catch(() => undefined);
    this.#ended = Promise.allSettled(this.#children.map(endOf));
  }

  /** The run is over: lets them end, or ends them. */
  async close(): Promise<void> {
    this.#closing = true;
    const force = setTimeout(this.#killAll, PARTING_MS);
    await this.#ended;
    clearTimeout(force);
    process.off('exit', this.#killAll);
  }

  /** Ends them at once. */
  async kill(): Promise<void> {
    this.#closing = true;
    this.#killAll();
    await this.close();
  }

  async #failure(child: ChildProcess): Promise<never> {
    let words = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-LAST_WORDS);
    });
    const how = await endOf(child);
    if (this.#closing) return new Promise<never>(() => undefined);
    const last =
      words
        .trim()
        .split('\n')
        .at(-1)
        ?.replace(/^error: /, '') ?? '';
    const said = last === '' ? how : last;
    const sentence = `A worker process ended by itself: ${said.replace(/\.$/, '')}.`;
    throw new DtrainError('WORKER_FAILED', sentence);
  }
}

function start(index: number, { url, token, engine }: WorkerOptions): ChildProcess {
  const flags = ['--threads', '1', '--engine', engine, '--patience', '0s', '--quiet'];
  const args = [entry, 'worker', url, ...flags, '--name', `bench-${index + 1}`];
  return spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Not as a flag, which every user of the machine could read.
    env: { ...process.env, DTRAIN_TOKEN: token ?? '', DTRAIN_TOKEN_FILE: '', DTRAIN_VERBOSE: '' },
  });
}

/** Resolves when the process is over, with how it ended. */
async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    return signal ?? `exit code ${String(code)}`;
  } catch (error) {
    return reasonOf(error);
  }
}
