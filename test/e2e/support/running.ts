import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** Longest wait for a line, and longest life of a process, in milliseconds. */
const PATIENCE_MS = 30_000;
const LIFE_MS = 50_000;

export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type StreamName = 'stdout' | 'stderr';

/** An event that `--json` printed. */
export type JsonEvent = Readonly<Record<string, unknown>>;

interface Waiter {
  readonly stream: StreamName;
  readonly accepts: (line: string) => boolean;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

/** A process under test: its output, line by line, and its end. */
export class Running {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #text = { stdout: '', stderr: '' };
  readonly #chunks: Buffer[] = [];
  readonly #lines: Record<StreamName, string[]> = { stdout: [], stderr: [] };
  readonly #waiters = new Set<Waiter>();
  readonly #command: string;
  #over = false;

  constructor(file: string, args: readonly string[], options: SpawnOptions) {
    this.#command = args.join(' ');
    this.#child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#read('stdout', this.#child.stdout);
    this.#read('stderr', this.#child.stderr);
    this.ended = this.#end();
    // Whoever waits for it sees the error.
    this.ended.catch(() => undefined);
  }

  /** The bytes of standard output so far. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Sends a signal; false if the process is over. */
  signal(name: NodeJS.Signals): boolean {
    return !this.#over && this.#child.kill(name);
  }

  /** The first line that matches, of those that came or will come. */
  async line(pattern: RegExp, stream: StreamName = 'stdout'): Promise<string> {
    const accepts = (line: string): boolean => pattern.test(line);
    const before = this.#lines[stream].find(accepts);
    if (before !== undefined) return before;
    return this.#wait(stream, accepts, `a line like ${String(pattern)} on ${stream}`);
  }

  /** The first event of a kind, of those that came or will come, for which `accepts` holds. */
  async event(
    kind: string,
    accepts: (event: JsonEvent) => boolean = () => true,
  ): Promise<JsonEvent> {
    const fits = (line: string): boolean => {
      const event = JSON.parse(line) as JsonEvent;
      return event.event === kind && accepts(event);
    };
    const line =
      this.#lines.stdout.find(fits) ?? (await this.#wait('stdout', fits, `a ${kind} event`));
    return JSON.parse(line) as JsonEvent;
  }

  /** How many events of a kind there have been. */
  count(kind: string): number {
    return this.#lines.stdout.filter((line) => (JSON.parse(line) as JsonEvent).event === kind)
      .length;
  }

  /** Ends it, whatever it does. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended.catch(() => undefined);
  }

  #wait(stream: StreamName, accepts: (line: string) => boolean, what: string): Promise<string> {
    if (this.#over) return Promise.reject(this.#problem(`ended without ${what}`));
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        stream,
        accepts,
        resolve: (line) => {
          settle();
          resolve(line);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        waiter.reject(this.#problem(`did not print ${what} in ${PATIENCE_MS / 1000} s`));
      }, PATIENCE_MS);
      this.#waiters.add(waiter);
    });
  }

  #read(name: StreamName, stream: Readable | null): void {
    let rest = '';
    stream?.on('data', (chunk: Buffer) => {
      if (name === 'stdout') this.#chunks.push(chunk);
      const text = chunk.toString();
      this.#text[name] += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(name, line);
    });
  }

  #take(stream: StreamName, line: string): void {
    this.#lines[stream].push(line);
    for (const waiter of [...this.#waiters]) {
      if (waiter.stream !== stream) continue;
      try {
        if (waiter.accepts(line)) waiter.resolve(line);
      } catch {
        waiter.reject(this.#problem(`printed a line that cannot be read: ${line}`));
      }
    }
  }

  async #end(): Promise<Ended> {
    const timer = setTimeout(() => {
      this.signal('SIGKILL');
    }, LIFE_MS);
    const since = performance.now();
    const [code, signal] = (await once(this.#child, 'close')) as [
      number | null,
      NodeJS.Signals | null,
    ];
    clearTimeout(timer);
    this.#over = true;
    if (performance.now() - since >= LIFE_MS) {
      throw this.#problem(`did not end by itself in ${LIFE_MS / 1000} s`);
    }
    for (const waiter of [...this.#waiters]) {
      waiter.reject(this.#problem('ended before the line that is waited for'));
    }
    return { code, signal, ...this.#text };
  }

  #problem(what: string): Error {
    const [stdout, stderr] = [this.#text.stdout.slice(-2_000), this.#text.stderr.slice(-2_000)];
    return new Error(`${this.#command}\n${what}\n--- stdout\n${stdout}--- stderr\n${stderr}`);
  }
}
