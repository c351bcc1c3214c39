/**
 * `npm run bench:tfjs-node -- --data DIR [--rounds N] [--seconds S]`: LeNet-5 on MNIST on one core at
 * batch 64, the engine tfjs-node beside TensorFlow.js' own eager training on the same library
 * (`scripts/setup-tfjs-node.sh`). Both run once in each round; the ratio is the figure.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findTfjsNode } from '../dist/src/engine/tfjs-node/find.js';
import { dtrainContestant } from './peers/dtrain.js';
import { load, machine } from './peers/machine.js';
import { parseLine, run } from './peers/processes.js';
import { showSpread } from './spread.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
  },
});
if (values.data === undefined) {
  console.error('Missing: --data DIR, the folder with the four MNIST files.');
  process.exit(2);
}
const data = resolve(values.data);
const seconds = Number(values.seconds);
const { folder, version } = findTfjsNode();
const scratch = mkdtempSync(join(tmpdir(), 'dtrain-tfjs-node-'));
const settings = { name: 'dtrain', engine: 'tfjs-node', threads: 1 } as const;
const graph = dtrainContestant({ data, peers: '', scratch }, settings);

async function eager(): Promise<number> {
  const file = fileURLToPath(new URL('peers/tfjs-eager.ts', import.meta.url));
  const flags = ['--data', data, '--seconds', String(seconds), '--package', folder];
  let rate = NaN;
  const args = ['--import', 'tsx', file, ...flags];
  await run({ program: process.execPath, args, cores: 1 }, (line) => {
    rate = Number(parseLine(line)?.samplesPerSecond ?? rate);
  });
  return rate;
}

const rates = { graph: [] as number[], eager: [] as number[] };
const loads = [load()];
for (let round = 0; round < Number(values.rounds); round++) {
  rates.graph.push((await graph.measure(seconds)).samplesPerSecond);
  rates.eager.push(await eager());
  loads.push(load());
}
rmSync(scratch, { recursive: true });
const ratio = rates.graph.map((rate, round) => rate / (rates.eager[round] ?? NaN));
console.log(`${await machine()}
TensorFlow ${version}, one core, batch 64; ${values.rounds} rounds of ${seconds} s each, in turn
load before and after each round: ${loads.map((each) => each.toFixed(1)).join(', ')}

median (least to most)
  dtrain --engine tfjs-node  samples/s  ${showSpread(rates.graph)}
  tfjs-node, eager           samples/s  ${showSpread(rates.eager)}
  ratio                                 ${showSpread(ratio, 2)}`);
