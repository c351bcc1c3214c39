/**
 * `npm run bench:peers -- --data DIR [--peers DIR] [--rounds N] [--seconds S]`: LeNet-5 on MNIST,
 * dtrain beside other frameworks (`npm run peers:install`). In each round every configuration runs
 * once, so that a noisy machine favours none; ratios are taken within rounds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Contestant } from './peers/contestant.js';
import { contestants } from './peers/contestants.js';
import { defaultPeersDir } from './peers/folder.js';
import { load, machine } from './peers/machine.js';
import { ratios } from './peers/ratios.js';
import { markdownTable } from './peers/table.js';
import { showSpread } from './spread.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    peers: { type: 'string', default: defaultPeersDir() },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
  },
});
if (values.data === undefined) {
  console.error('Missing: --data DIR, the folder with the four MNIST files.');
  process.exit(2);
}
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const scratch = mkdtempSync(join(tmpdir(), 'dtrain-peers-'));
const all = contestants({ data: resolve(values.data), peers: resolve(values.peers), scratch });
const rates = new Map<Contestant, number[]>();
const versions = new Map<Contestant, string>();
const failures = new Map<Contestant, string>();

const loads: number[] = [load()];

for (let round = 1; round <= rounds; round++) {
  for (const contestant of all) {
    if (contestant.missing !== undefined || failures.has(contestant)) continue;
    try {
      const { samplesPerSecond, version } = await contestant.measure(seconds);
      rates.set(contestant, [...(rates.get(contestant) ?? []), samplesPerSecond]);
      versions.set(contestant, version);
      console.error(`round ${round}: ${label(contestant)}: ${samplesPerSecond.toFixed(0)}`);
    } catch (error) {
      failures.set(contestant, error instanceof Error ? error.message : String(error));
    }
  }
  loads.push(load());
}
rmSync(scratch, { recursive: true });

console.log(`${await machine()}
${rounds} rounds of ${seconds} s each; median (least to most)
load before and after each round: ${loads.map((each) => each.toFixed(1)).join(', ')}
`);
console.log(
  markdownTable([
    ['', 'cores', 'batch', 'samples/s', 'version'],
    ...all.map((contestant) => [
      contestant.name,
      String(contestant.cores),
      String(contestant.batch),
      outcome(contestant),
      versions.get(contestant) ?? '',
    ]),
  ]),
);
console.log(`\n${markdownTable([['ratio', 'median (least to most)'], ...ratios(all, rates)])}`);
for (const [contestant, words] of failures) console.log(`\n${label(contestant)} failed: ${words}`);

function label({ name, cores, batch }: Contestant): string {
  return `${name}, ${cores} ${cores === 1 ? 'core' : 'cores'}, batch ${batch}`;
}

function outcome(contestant: Contestant): string {
  if (failures.has(contestant)) return 'failed';
  const measured = rates.get(contestant);
  return measured ? showSpread(measured) : (contestant.missing ?? '');
}
