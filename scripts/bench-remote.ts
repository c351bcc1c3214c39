/**
 * `npm run bench:remote -- --data DIR [--batch 512] [--rounds 5]`: one remote worker with one thread,
 * over loopback, against one local thread: what a network without delay costs.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { showSpread } from './spread.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    batch: { type: 'string', default: '512' },
    rounds: { type: 'string', default: '5' },
  },
});
const SAMPLES = 240_000;
const steps = Math.ceil(SAMPLES / Number(values.batch));
const folder = await mkdtemp(path.join(tmpdir(), 'dtrain-remote-'));

function dtrain(args: readonly string[]) {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** Samples a second of a training, start-up and evaluations not counted. */
async function measure(engine: string, remote: boolean): Promise<number> {
  const run = [
    ...['--json', '--engine', engine, '--batch', values.batch, '--steps', String(steps)],
    ...['--epochs', '1000', ...(values.data === undefined ? [] : ['--data-dir', values.data])],
  ];
  const child = dtrain(
    remote
      ? ['coordinator', '--threads', '0', '--port', '0', '--workers', '1', ...run]
      : ['train', '--threads', '1', ...run],
  );
  for await (const line of createInterface(child.stdout)) {
    const event = JSON.parse(line) as { event: string; url?: string; samplesPerSecond?: number };
    if (event.event === 'start' && remote) {
      dtrain(['worker', event.url ?? '', '--threads', '1', '--engine', engine]);
    }
    if (event.event === 'result') return event.samplesPerSecond ?? NaN;
  }
  throw new Error('A training ended without a result.');
}

const engines = ['wasm', 'native'];
const speeds = engines.map(() => ({ local: [] as number[], remote: [] as number[] }));
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [index, engine] of engines.entries()) {
    speeds[index]?.local.push(await measure(engine, false));
    speeds[index]?.remote.push(await measure(engine, true));
  }
}
await rm(folder, { recursive: true, force: true });
console.log(
  `global batch ${values.batch}; median (least to most) of ${values.rounds} rounds, in turn`,
);
for (const [index, engine] of engines.entries()) {
  const { local = [], remote = [] } = speeds[index] ?? {};
  console.log(`${engine.padEnd(8)} one local thread    ${showSpread(local)} samples/s`);
  console.log(`${engine.padEnd(8)} one remote worker   ${showSpread(remote)} samples/s`);
  const ratios = remote.map((speed, round) => speed / (local[round] ?? NaN));
  console.log(`${engine.padEnd(8)} remote / local      ${showSpread(ratios, 3)}`);
}
