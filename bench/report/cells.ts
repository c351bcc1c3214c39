import type { WorkerKind } from '../../src/config/bench-options.js';
import type { BenchReport, Row, SameWeights, Table } from '../results.js';
import type { Spread } from '../statistics.js';

/** The texts that tables on the terminal and in the page share. */

const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

const names: Readonly<Record<WorkerKind, readonly [one: string, several: string]>> = {
  threads: ['thread', 'threads'],
  processes: ['process', 'processes'],
  joined: ['that joined', 'that joined'],
};

export function workersText(kind: WorkerKind, workers: number): string {
  const [one, several] = names[kind];
  return `${number.format(workers)} ${workers === 1 ? one : several}`;
}

export function titleOf({ scaling, batch, rows }: Table): string {
  const { runs = 0, steps = 0 } = rows[0] ?? {};
  const whose = scaling === 'strong' ? 'in all' : 'for each worker';
  const times = `${number.format(runs)} ${runs === 1 ? 'run' : 'runs'}`;
  return `${scaling === 'strong' ? 'Strong' : 'Weak'} scaling: a batch of ${number.format(batch)} ${whose}; ${times} of ${number.format(steps)} steps`;
}

type Column = readonly [heading: string, of: (row: Row) => string];

const whole = (value: number): string => number.format(value);
const ratio = (value: number): string => value.toFixed(2);
const milliseconds = (seconds: number): string => (seconds * 1000).toFixed(3);
const kilobytes = (count: number | undefined): string =>
  count === undefined ? '-' : (count / 1000).toFixed(0);
const spread = ({ least, most }: Spread, show: (value: number) => string): string =>
  `${show(least)}..${show(most)}`;

const nameColumn: Column = ['workers', ({ kind, workers }) => workersText(kind, workers)];

const scalingColumns: readonly Column[] = [
  ['batch', ({ batch }) => whole(batch)],
  ['samples/s', ({ samplesPerSecond }) => whole(samplesPerSecond.median)],
  ['least..most', ({ samplesPerSecond }) => spread(samplesPerSecond, whole)],
  ['speed-up', ({ speedUp }) => ratio(speedUp.median)],
  ['least..most', ({ speedUp }) => spread(speedUp, ratio)],
  ['efficiency', ({ efficiency }) => `${(efficiency * 100).toFixed(1)} %`],
];

const stepColumns: readonly Column[] = [
  ['ms/step', ({ step }) => milliseconds(step.seconds)],
  ['gather', ({ step }) => milliseconds(step.gather)],
  ['compute', ({ step }) => milliseconds(step.compute)],
  ['reduce', ({ step }) => milliseconds(step.reduce)],
  ['update', ({ step }) => milliseconds(step.update)],
  ['broadcast', ({ step }) => milliseconds(step.broadcast)],
  ['wait', ({ step }) => milliseconds(step.wait)],
  ['kB sent', ({ bytes }) => kilobytes(bytes?.sent)],
  ['received', ({ bytes }) => kilobytes(bytes?.received)],
];

/** How throughput scales: a row of headings, and one for each row of the table. */
export function scalingCells({ rows }: Table): string[][] {
  return cellsOf([nameColumn, ...scalingColumns], rows);
}

/** Where the time of a step goes, likewise. */
export function stepCells({ rows }: Table): string[][] {
  return cellsOf([nameColumn, ...stepColumns], rows);
}

/** Both side by side. */
export function allCells({ rows }: Table): string[][] {
  return cellsOf([nameColumn, ...scalingColumns, ...stepColumns], rows);
}

function cellsOf(columns: readonly Column[], rows: readonly Row[]): string[][] {
  const head = columns.map(([heading]) => heading);
  return [head, ...rows.map((row) => columns.map(([, of]) => of(row)))];
}

/** What it ran on and what it ran, a line each. */
export function settingLines(report: BenchReport): string[] {
  const { date, machine, engine, engineNote, dataset, settings } = report;
  const commit = machine.commit === null ? '' : ` (commit ${machine.commit})`;
  const note = engineNote === '' ? '' : ` (${engineNote})`;
  return [
    `${settings.model} on ${dataset}; ${settings.optimizer}, seed ${settings.seed}`,
    `engine ${engine}${note}; dtrain ${machine.dtrain}${commit}, Node ${machine.node}`,
    `${machine.processor}, ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}, ${machine.platform}; ${date}`,
  ];
}

/** Threads of other programs that spoil figures. */
const BUSY = 0.5;

/** What a reader of the figures should know. */
export function noteLines({ machine, tables }: Pick<BenchReport, 'machine' | 'tables'>): string[] {
  const rows = tables.flatMap((table) => table.rows);
  const crowded = rows.some(({ kind, workers }) => kind !== 'joined' && workers > machine.cores);
  const processes = rows.some(
    ({ kind, workers }) => kind === 'processes' && workers >= machine.cores,
  );
  const spares = rows
    .filter((row) => row.spares > 0)
    .map(({ kind, workers, batch }) => `${workersText(kind, workers)} (batch ${batch})`);
  const busy = machine.load > BUSY;
  return [
    ...(busy
      ? [
          `Other programs were at work as this began (load ${machine.load.toFixed(1)}): do not trust small differences.`,
        ]
      : []),
    ...(crowded ? ['There are more workers than cores.'] : []),
    ...(processes ? ['The coordinator shares the cores with the worker processes.'] : []),
    ...(spares.length > 0
      ? [
          `Some workers were left without work, since steps were shorter so: ${[...new Set(spares)].join(', ')}.`,
        ]
      : []),
  ];
}

export function weightsLine({ batch, steps, runs, weightsSha256, ...group }: SameWeights): string {
  const of = `${runs} runs of ${group.configurations} configurations with batch ${batch}, ${number.format(steps)} steps`;
  const [sum = '', ...others] = weightsSha256;
  return others.length === 0
    ? `The same weights from ${of}: SHA-256 ${sum}`
    : `DIFFERENT weights from ${of}: SHA-256 ${weightsSha256.join(', ')}`;
}
