import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResultEvent, StartEvent } from '../../dist/src/events.js';
import type { Contestant, Surroundings } from './contestant.js';
import { parseLine, run } from './processes.js';

export const DTRAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

const BATCH = 64;
const FIRST_STEPS = 200;
const STEPS_IN_EPOCH = Math.ceil(60_000 / BATCH);

interface Settings {
  readonly name: string;
  readonly engine: 'wasm' | 'native' | 'tfjs-node';
  readonly threads: number;
  /** The C compiler and its flags. */
  readonly compiler?: string;
  readonly missing?: string;
}

/**
 * The command `dtrain train` as anyone runs it, for as many steps as take about the time asked for:
 * samples over the time spent training, as its result says. The first, short run says how many
 * those are, and compiles.
 */
export function dtrainContestant(around: Surroundings, settings: Settings): Contestant {
  const { name, engine, threads, compiler, missing } = settings;
  let rate: number | undefined;

  async function train(steps: number): Promise<{ samplesPerSecond: number; version: string }> {
    const out = mkdtempSync(join(around.scratch, 'run-'));
    const epochs = Math.ceil(steps / STEPS_IN_EPOCH);
    const flags = { 'data-dir': around.data, out, engine, threads, epochs, steps, batch: BATCH };
    const events: (StartEvent | ResultEvent)[] = [];
    await run(
      {
        program: process.execPath,
        args: [
          ...[DTRAIN, 'train', '--json'],
          ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
        ],
        cores: threads,
        ...(compiler !== undefined && { environment: { CC: compiler } }),
      },
      (line) => {
        const event = parseLine(line) as StartEvent | ResultEvent | undefined;
        if (event) events.push(event);
      },
    );
    rmSync(out, { recursive: true });
    const start = events.find((event) => event.event === 'start');
    const result = events.find((event) => event.event === 'result');
    if (!start || !result) throw new Error('it reported no result');
    const note = start.engineNote === undefined ? '' : ` (${start.engineNote})`;
    return { samplesPerSecond: result.samplesPerSecond, version: `${start.engine}${note}` };
  }

  return {
    name,
    cores: threads,
    batch: BATCH,
    ...(missing !== undefined && { missing }),
    async measure(seconds) {
      rate ??= (await train(FIRST_STEPS)).samplesPerSecond;
      const measured = await train(Math.max(FIRST_STEPS, Math.round((rate * seconds) / BATCH)));
      rate = measured.samplesPerSecond;
      return measured;
    },
  };
}
