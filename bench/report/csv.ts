import { type Cell, csvLines } from '../../src/report/csv.js';
import type { BenchReport, Row, Table } from '../results.js';

type Column = readonly [name: string, of: (row: Row, table: Table, report: BenchReport) => Cell];

/** The columns; times in seconds, shares of 1. */
const columns: readonly Column[] = [
  ['scaling', (_, table) => table.scaling],
  ['kind', (row) => row.kind],
  ['workers', (row) => row.workers],
  ['batch', (row) => row.batch],
  ['steps', (row) => row.steps],
  ['runs', (row) => row.runs],
  ['samples_per_second', (row) => row.samplesPerSecond.median],
  ['samples_per_second_least', (row) => row.samplesPerSecond.least],
  ['samples_per_second_most', (row) => row.samplesPerSecond.most],
  ['speed_up', (row) => row.speedUp.median],
  ['speed_up_least', (row) => row.speedUp.least],
  ['speed_up_most', (row) => row.speedUp.most],
  ['efficiency', (row) => row.efficiency],
  ['step_seconds', (row) => row.step.seconds],
  ['step_gather', (row) => row.step.gather],
  ['step_compute', (row) => row.step.compute],
  ['step_reduce', (row) => row.step.reduce],
  ['step_update', (row) => row.step.update],
  ['step_broadcast', (row) => row.step.broadcast],
  ['step_wait', (row) => row.step.wait],
  ['step_bytes_sent', (row) => row.bytes?.sent ?? null],
  ['step_bytes_received', (row) => row.bytes?.received ?? null],
  ['spares', (row) => row.spares],
  ['weights_sha256', (row, _, report) => weightsOf(row, report)],
  ['date', (_row, _, { date }) => date],
  ['model', (_row, _, { settings }) => settings.model],
  ['optimizer', (_row, _, { settings }) => settings.optimizer],
  ['seed', (_row, _, { settings }) => settings.seed],
  ['engine', (_row, _, { engine }) => engine],
  ['cores', (_row, _, { machine }) => machine.cores],
  ['processor', (_row, _, { machine }) => machine.processor],
  ['load', (_row, _, { machine }) => machine.load],
  ['node', (_row, _, { machine }) => machine.node],
  ['dtrain', (_row, _, { machine }) => machine.dtrain],
  ['commit', (_row, _, { machine }) => machine.commit],
];

/** The report as comma-separated values (RFC 4180, but for its line ends), a row for each table row. */
export function csvOf(report: BenchReport): string[] {
  const rows = report.tables.flatMap((table) =>
    table.rows.map((row) => columns.map(([, of]) => of(row, table, report))),
  );
  return csvLines([columns.map(([name]) => name), ...rows]);
}

function weightsOf({ batch, steps }: Row, { weights }: BenchReport): Cell {
  const group = weights.find((one) => one.batch === batch && one.steps === steps);
  return group?.weightsSha256.join(' ') ?? null;
}
