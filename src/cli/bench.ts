import { constants } from 'node:fs';
import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { runBench } from '../../bench/bench.js';
import type { Measurement } from '../../bench/measure.js';
import { assertSameWeights, type BenchReport } from '../../bench/results.js';
import { workersText } from '../../bench/report/cells.js';
import { csvOf } from '../../bench/report/csv.js';
import { htmlOf } from '../../bench/report/html.js';
import { textOf } from '../../bench/report/text.js';
import { type BenchConfig, benchOptions, resolveBench } from '../config/bench-options.js';
import { addTable } from '../config/flags.js';
import { diskReason, DtrainError } from '../errors.js';
import { joinLines } from './join-lines.js';
import { interruptible } from './interrupt.js';
import { count } from './text.js';

export function benchCommand(): Command {
  const command = new Command('bench').description(
    'measure how training scales with the number of workers',
  );
  addTable(command, benchOptions);
  return command.action(async (flags: Record<string, unknown>) => {
    const config = resolveBench({ flags, env: process.env });
    if (config.html !== null) await checkFolder(config.html);
    const told = new Set<string>();
    const onNotice = (sentence: string): void => {
      // Each run would say the same about the data.
      if (!config.quiet && !told.has(sentence)) process.stderr.write(`${sentence}\n`);
      told.add(sentence);
    };
    const signal = interruptible(() => {
      onNotice('Stopping after this step; press Ctrl-C again to stop at once.');
    });
    const report = await runBench(config, {
      onNotice,
      signal,
      onListening: (urls, token) => {
        for (const line of joinLines(urls, token)) onNotice(line);
      },
      onRun: (round, measurement) => {
        showRun(config, round, measurement);
      },
    });
    show(config, report);
    if (config.html !== null) await writeReport(config.html, report);
    assertSameWeights(report);
  });
}

function showRun(config: BenchConfig, round: number, measurement: Measurement): void {
  const { configuration, samplesPerSecond, step, bytes, weightsSha256 } = measurement;
  if (config.json) {
    const event = { event: 'run', round, ...configuration, samplesPerSecond, step, bytes };
    process.stdout.write(`${JSON.stringify({ ...event, weightsSha256 })}\n`);
  }
  if (config.quiet) return;
  const { kind, workers, batch } = configuration;
  process.stderr.write(
    `round ${round}/${config.runs}  ${workersText(kind, workers)}, batch ${batch}: ${count(samplesPerSecond)} samples/s\n`,
  );
}

function show(config: BenchConfig, report: BenchReport): void {
  const lines = config.json
    ? [JSON.stringify({ event: 'bench', ...report })]
    : config.csv
      ? csvOf(report)
      : textOf(report);
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Better now than after the last run. */
async function checkFolder(file: string): Promise<void> {
  try {
    await access(path.dirname(path.resolve(file)), constants.W_OK);
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
}

async function writeReport(file: string, report: BenchReport): Promise<void> {
  const page = await htmlOf(report);
  try {
    await writeFile(file, page);
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
}

function cannotWrite(file: string, cause: unknown): DtrainError {
  const sentence = `Cannot write ${file}: ${diskReason(cause)}. Choose another file with --html.`;
  return new DtrainError('WRITE_FAILED', sentence, { cause });
}
