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
    `load ${(loadavg()[0] ?? 0).toFixed(1)} at the start`,
  ];
  return parts.join(', ');
}

function commit(): string {
  try {
    const args = ['describe', '--always', '--dirty'];
    return execFileSync('git', args, { encoding: 'utf8' }).trim();
  } catch {
    return 'of no commit';
  }
}
