import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';

const LAST_WORDS = 5;

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Cores that it may use, from the machine's first on. */
  readonly cores: number;
}

const canPin = works('taskset', ['-c', '0', process.execPath, '--version']);

/**
 * Runs a command, with its output's lines to `onLine`, which may end it.
 * Rejects with its last words if it fails.
 */
export async function run(
  { program, args, environment, cores }: Command,
  onLine: (line: string, child: ChildProcess) => void,
): Promise<void> {
  const pinned = canPin && cores < availableParallelism();
  const words = [...(pinned ? ['taskset', '-c', coreList(cores)] : []), program, ...args];
  const [first = program, ...rest] = words;
  const child = spawn(first, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const lastWords: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    onLine(line, child);
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastWords.push(line);
    if (lastWords.length > LAST_WORDS) lastWords.shift();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0 && !child.killed) throw new Error(lastWords.join('\n') || `exit code ${code}`);
}

/** The JSON object in a line, if there is one. */
export function parseLine(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  return JSON.parse(line) as Record<string, unknown>;
}

function coreList(cores: number): string {
  return Array.from({ length: cores }, (_, core) => core).join(',');
}

export function works(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
