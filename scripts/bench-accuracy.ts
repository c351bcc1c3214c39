/**
 * `npm run bench:accuracy -- --data DIR [--peers DIR] [--seeds N]`: seconds from the start of the
 * command, start-up included, to the end of the first epoch with 99 % test accuracy. dtrain with its
 * defaults, and the same recipe in PyTorch eager, on the same cores, in turn.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { spreadOf } from '../dist/bench/statistics.js';
import { keepMemory } from './peers/contestants.js';
import { DTRAIN } from './peers/dtrain.js';
import { defaultPeersDir, isInstalled, pythonOf } from './peers/folder.js';
import { load, machine } from './peers/machine.js';
import { parseLine, run } from './peers/processes.js';
import { markdownTable } from './peers/table.js';
import { showSpread } from './spread.js';

const GOAL = 0.99;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    peers: { type: 'string', default: defaultPeersDir() },
    seeds: { type: 'string', default: '5' },
  },
});
if (values.data === undefined) {
  console.error('Missing: --data DIR, the folder with the four MNIST files.');
  process.exit(2);
}
const data = resolve(values.data);
const peers = resolve(values.peers);
if (!isInstalled(peers, 'torch')) {
  console.error('PyTorch is not installed: npm run peers:install -- --only torch');
  process.exit(2);
}
const cores = availableParallelism();
const script = fileURLToPath(new URL('peers/python/torch_accuracy.py', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'dtrain-accuracy-'));
const heading = `${await machine()}, load ${load().toFixed(1)} at the start`;

/** Infinity if the goal is not reached. */
async function secondsToGoal(program: string, args: readonly string[]): Promise<number> {
  const since = performance.now();
  let seconds = Infinity;
  await run({ program, args, cores, environment: keepMemory }, (line, child) => {
    const accuracy = parseLine(line)?.testAccuracy;
    if (seconds < Infinity || typeof accuracy !== 'number' || accuracy < GOAL) return;
    seconds = (performance.now() - since) / 1000;
    child.kill();
  });
  return seconds;
}

function dtrain(seed: number): Promise<number> {
  const flags = ['--data-dir', data, '--out', join(scratch, String(seed)), '--seed', String(seed)];
  return secondsToGoal(process.execPath, [DTRAIN, 'train', '--json', ...flags]);
}

/** For so small a model more threads are not always faster: the ratio is to the best number. */
function torch(seed: number, threads: number): Promise<number> {
  const flags = ['--data', data, '--threads', String(threads), '--seed', String(seed)];
  return secondsToGoal(pythonOf(peers, 'torch'), ['-B', script, ...flags]);
}

const rows: { seed: number; dtrain: number; torchOne: number; torchAll: number }[] = [];
for (let seed = 1; seed <= Number(values.seeds); seed++) {
  const row = {
    seed,
    dtrain: await dtrain(seed),
    torchOne: await torch(seed, 1),
    torchAll: await torch(seed, cores),
  };
  rows.push(row);
  console.error(JSON.stringify(row));
}
rmSync(scratch, { recursive: true });

const show = (value: number): string => (value === Infinity ? 'not reached' : value.toFixed(2));
const columns = ['dtrain', 'torchOne', 'torchAll'] as const;
const medians = columns.map((column) => spreadOf(rows.map((row) => row[column])).median);
const faster = (row: (typeof rows)[number]): number => Math.min(row.torchOne, row.torchAll);
console.log(
  `${heading}\nSeconds to ${GOAL * 100} % test accuracy, from the start of the command\n`,
);
console.log(
  markdownTable([
    ['seed', 'dtrain', 'PyTorch, 1 thread', `PyTorch, ${cores} threads`],
    ...rows.map((row) => [String(row.seed), ...columns.map((column) => show(row[column]))]),
    ['median', ...medians.map(show)],
  ]),
);
const perSeed = rows.map((row) => faster(row) / row.dtrain).filter(Number.isFinite);
console.log(`\nPyTorch's faster time / dtrain's: ${showSpread(perSeed, 2)}`);
