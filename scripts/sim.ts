/**
 * `npm run sim -- --seeds 50000 [--from N]`: simulated runs, each with the faults of its seed, until
 * all are done or one fails. `npm run sim -- --seed N`: one of them, with all that happened.
 */
import { parseArgs } from 'node:util';
import { reasonOf } from '../src/errors.js';
import { simulate } from '../test/sim/simulator.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '0' },
  },
});

function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`--${name} must be a whole number, not ${text}.\n`);
  process.exit(2);
}

async function replay(seed: number): Promise<void> {
  try {
    const { trace, outcome, steps, lives } = await simulate(seed, {}, Infinity);
    process.stdout.write(`${trace.toString()}\n`);
    process.stdout.write(`seed ${seed}: ${outcome} after ${steps} steps in ${lives} lives\n`);
  } catch (error) {
    process.stdout.write(`${reasonOf(error)}\n`);
    process.exitCode = 1;
  }
}

/** Runs each seed; a line for each that fails. */
async function runAll(from: number, seeds: number): Promise<void> {
  const since = performance.now();
  const counts = new Map<string, number>();
  let failed = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      const run = await simulate(seed);
      for (const [what, times] of run.counts) counts.set(what, (counts.get(what) ?? 0) + times);
    } catch (error) {
      failed += 1;
      const [line] = reasonOf(error).split('\n');
      process.stdout.write(`${line}\n`);
    }
  }
  for (const [what, times] of [...counts].sort((one, other) => one[1] - other[1])) {
    process.stdout.write(`${String(times).padStart(9)}  ${what}\n`);
  }
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  process.stdout.write(`${seeds - failed} of ${seeds} seeds went well, in ${seconds} s\n`);
  if (failed > 0) process.exitCode = 1;
}

if (values.seed !== undefined) await replay(count('seed', values.seed));
else await runAll(count('from', values.from), count('seeds', values.seeds));
