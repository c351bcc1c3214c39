import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg } from 'node:os';

/** What a benchmark ran on, for the line above its table. */
export function machine(): string {
  const parts = [
    cpus()[0]?.model.trim() ?? 'unknown processor',
    `${availableParallelism()} cores`,
    `${process.platform} ${process.arch}`,
    `Node ${process.version}`,
    `dtrain ${commit()}`,
  ];
  return parts.join(', ');
}

/** What else the machine was doing: processes that want a core, over the last minute. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

function commit(): string {
  try {
    const args = ['describe', '--always', '--dirty'];
    return execFileSync('git', args, { encoding: 'utf8' }).trim();
  } catch {
    return 'of no commit';
  }
}
