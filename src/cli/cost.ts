import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { csvLines } from '../report/csv.js';
import { findRun } from '../../coordinator/resume.js';
import { costCommandOptions, resolveCost } from '../config/cost-command-options.js';
import { addTable } from '../config/flags.js';
import { type CostReport, costReport } from '../cost/report.js';
import { diskReason, DtrainError } from '../errors.js';
import { readEpochs } from '../report/epochs.js';
import { readLedger } from '../report/ledger-file.js';
import { readPlannedResult } from '../report/planned-result.js';
import { plannedLine } from './text.js';
import { costLines } from './cost-text.js';
import { costPage } from './cost-html.js';

export function costCommand(): Command {
  const command = new Command('cost')
    .description('what a run has cost, and for what; also while it runs')
    .argument('<run>', "the run's folder, or its name in runs/");
  addTable(command, costCommandOptions);
  return command.action(async (place: string, flags: Record<string, unknown>) => {
    const config = resolveCost({ flags, env: process.env });
    const folder = await findRun(place);
    const record = await readLedger(folder);
    if (!record) {
      const message = `There is no ledger in ${folder}: an earlier version of dtrain ran it, or it never began.`;
      throw new DtrainError('LEDGER', message);
    }
    const { run, model, dataset, ledger } = record;
    const report = costReport(ledger, await readEpochs(folder), record);
    const result = await readPlannedResult(folder);
    const planned = result && { planned: result.planned };
    const lines = config.json
      ? [JSON.stringify({ run, runDir: folder, model, dataset, cost: report, ...planned })]
      : config.csv
        ? costCsv(report)
        : [...costLines(report), ...(result ? [plannedLine(result)] : [])];
    process.stdout.write(`${lines.join('\n')}\n`);
    if (config.html !== null) await write(config.html, await costPage(record, report));
  });
}

/** A row for each worker; times in seconds, amounts in the currency. */
function costCsv({ workers, currency }: CostReport): string[] {
  const rows = workers.map((worker) => ({
    name: worker.name,
    threads: worker.threads,
    price_per_hour: worker.price?.perHour ?? null,
    seconds: worker.seconds,
    computed: worker.computed,
    waited: worker.waited,
    idled: worker.idled,
    duplicated: worker.duplicated,
    lost: worker.lost,
    samples: worker.samples,
    bytes_sent: worker.sent,
    bytes_received: worker.received,
    billed_seconds: worker.billed,
    total: worker.total,
    currency,
  }));
  return csvLines([Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))]);
}

async function write(file: string, page: string): Promise<void> {
  try {
    await writeFile(file, page);
  } catch (cause) {
    const sentence = `Cannot write ${file}: ${diskReason(cause)}. Choose another file with --html.`;
    throw new DtrainError('WRITE_FAILED', sentence, { cause });
  }
}
