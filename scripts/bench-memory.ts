/**
 * `npm run bench:memory -- --data DIR [--workers 16]`: the most memory that a worker's process and a
 * coordinator with many workers take, as the system counts it (VmHWM of /proc: Linux alone).
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const { values } = parseArgs({
  options: { data: { type: 'string' }, workers: { type: 'string', default: '16' } },
});
const workers = Number(values.workers);
const folder = await mkdtemp(path.join(tmpdir(), 'dtrain-memory-'));

/** Starts `dtrain`; with its lines. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { ...process.env, DTRAIN_ENGINE: 'wasm' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return { pid: child.pid ?? 0, lines: createInterface(child.stdout) };
}

/** Megabytes that a process has had at most. */
function peak(pid: number): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

const data = values.data === undefined ? [] : ['--data-dir', values.data];
const coordinator = start([
  ...['coordinator', '--json', '--threads', '0', '--port', '0', '--batch', '512', '--epochs', '2'],
  ...['--workers', String(workers), '--out', 'run', ...data],
]);
let pids: number[] = [];
for await (const line of coordinator.lines) {
  const event = JSON.parse(line) as { event: string; url?: string };
  if (event.event === 'start') {
    pids = Array.from(
      { length: workers },
      () => start(['worker', event.url ?? '', '--threads', '1']).pid,
    );
  }
  if (event.event === 'epoch') {
    const peaks = pids.map(peak).sort((one, other) => one - other);
    const [least = 0] = peaks;
    console.log(`coordinator with ${workers} workers: ${peak(coordinator.pid).toFixed(0)} MB`);
    console.log(`a worker: ${least.toFixed(0)} to ${(peaks.at(-1) ?? 0).toFixed(0)} MB`);
    break;
  }
}
for (const pid of [coordinator.pid, ...pids]) process.kill(pid, 'SIGKILL');
await rm(folder, { recursive: true, force: true });
