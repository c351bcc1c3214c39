import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** Resident memory at the beginning and at the end of what was seen of a process, in MB. */
export interface Memory {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly seconds: number;
}

/** A dtrain process of the soak. */
export class Process {
  readonly name: string;
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #began = performance.now();
  #memory: { start: number; end: number; at: number } | undefined;
  #over = false;

  constructor(name: string, args: readonly string[], onLine: (line: string) => void) {
    this.name = name;
    this.#child = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', onLine);
    }
    this.ended = once(this.#child, 'close').then(() => {
      this.#over = true;
    });
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#over) this.#child.kill(name);
  }

  /** Looks at its memory; what it has while it still starts does not count. */
  look(): void {
    const seconds = (performance.now() - this.#began) / 1000;
    if (this.#over || seconds < SETTLE_SECONDS) return;
    const now = residentMegabytes(this.#child.pid ?? 0);
    if (now === undefined) return;
    this.#memory = { start: this.#memory?.start ?? now, end: now, at: seconds };
  }

  get memory(): Memory | undefined {
    if (!this.#memory) return undefined;
    const { start, end, at } = this.#memory;
    return { name: this.name, start, end, seconds: at };
  }
}

const SETTLE_SECONDS = 10;

function residentMegabytes(pid: number): number | undefined {
  try {
    return (
      Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024
    );
  } catch {
    // It has just ended.
    return undefined;
  }
}
