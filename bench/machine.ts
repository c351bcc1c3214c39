import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { version } from '../src/version.js';

/** What a benchmark runs on, as it begins. */
export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly platform: string;
  readonly node: string;
  readonly dtrain: string;
  /** Of dtrain's own repository, if it runs from there; `-dirty` if files have changed since. */
  readonly commit: string | null;
  /** Mean number of threads at work in the minute before; 0 where the system does not tell. */
  readonly load: number;
}

export async function thisMachine(): Promise<Machine> {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    dtrain: version,
    commit: await commit(),
    load: loadavg()[0] ?? 0,
  };
}

async function commit(): Promise<string | null> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  // The repository of whoever installed dtrain says nothing about dtrain.
  if (!existsSync(path.join(root, '.git'))) return null;
  const words = ['-C', root, 'describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'];
  try {
    const { stdout } = await promisify(execFile)('git', words);
    return stdout.trim() || null;
  } catch {
    return null;
  }
}
