import type { ChartDataset, ScatterDataPoint } from 'chart.js';
import { benchKinds, type WorkerKind } from '../../src/config/bench-options.js';
import type { Chart } from '../../src/report/page.js';
import type { Row, Table } from '../results.js';
import type { Spread } from '../statistics.js';
import { workersText } from './cells.js';

const colours: Readonly<Record<WorkerKind, string>> = {
  threads: '#1f77b4',
  processes: '#d95f02',
  joined: '#7570b3',
};
const phases = [
  ['gather', 'gather', '#a6761d'],
  ['compute', 'compute', '#1f77b4'],
  ['reduce', 'reduce', '#66a61e'],
  ['update', 'update', '#e6ab02'],
  ['broadcast', 'broadcast', '#e7298a'],
  ['wait', 'wait', '#bbbbbb'],
] as const;

/** The plots of a comparison: speed-up, efficiency, and where a step's time goes. */
export function chartsOf(table: Table): Chart[] {
  const most = Math.max(...table.rows.map(({ workers }) => workers));
  return [speedUp(table, most), efficiency(table, most), stepTime(table)];
}

function speedUp(table: Table, most: number): Chart {
  const ideal = [
    { x: 1, y: 1 },
    { x: most, y: most },
  ];
  return lines('Speed-up', most, [
    dashed('ideal', ideal),
    ...withSpread(table, (row) => row.speedUp),
  ]);
}

function efficiency(table: Table, most: number): Chart {
  const ideal = [
    { x: 1, y: 100 },
    { x: most, y: 100 },
  ];
  const share = ({ speedUp, workers }: Row): Spread => ({
    median: (100 * speedUp.median) / workers,
    least: (100 * speedUp.least) / workers,
    most: (100 * speedUp.most) / workers,
  });
  return lines('Efficiency, %', most, [dashed('ideal', ideal), ...withSpread(table, share)]);
}

function stepTime({ rows }: Table): Chart {
  return {
    type: 'bar',
    data: {
      labels: rows.map(({ kind, workers }) => workersText(kind, workers)),
      datasets: phases.map(([phase, label, colour]) => ({
        label,
        backgroundColor: colour,
        data: rows.map(({ step }) => step[phase] * 1000),
      })),
    },
    options: {
      indexAxis: 'y',
      animation: false,
      maintainAspectRatio: false,
      plugins: { title: { display: true, text: 'Where the time of a step goes, ms' } },
      scales: { x: { stacked: true, beginAtZero: true }, y: { stacked: true } },
    },
  };
}

type Line = ChartDataset<'line', ScatterDataPoint[]>;

function dashed(label: string, data: ScatterDataPoint[]): Line {
  return { label, data, borderColor: '#888888', borderDash: [6, 4], pointRadius: 0 };
}

/** For each kind the medians, and behind them the band from the least to the most. */
function withSpread({ rows }: Table, spreadOf: (row: Row) => Spread): Line[] {
  const kinds = [...benchKinds, 'joined' as const].filter((kind) =>
    rows.some((row) => row.kind === kind),
  );
  return kinds.flatMap((kind) => {
    const of = rows.filter((row) => row.kind === kind);
    const points = (which: keyof Spread): ScatterDataPoint[] =>
      of.map((row) => ({ x: row.workers, y: spreadOf(row)[which] }));
    const colour = colours[kind];
    const edge = { label: '', borderWidth: 0, pointRadius: 0, backgroundColor: `${colour}33` };
    return [
      { label: kind, data: points('median'), borderColor: colour, backgroundColor: colour },
      { ...edge, data: points('least') },
      { ...edge, data: points('most'), fill: '-1' },
    ];
  });
}

function lines(title: string, most: number, datasets: Line[]): Chart {
  return {
    type: 'line',
    data: { datasets },
    options: {
      animation: false,
      maintainAspectRatio: false,
      plugins: { title: { display: true, text: `${title} (median, least to most)` } },
      scales: {
        x: {
          type: 'linear',
          min: 1,
          max: Math.max(2, most),
          ticks: { precision: 0 },
          title: { display: true, text: 'workers' },
        },
        y: { beginAtZero: true },
      },
    },
  };
}
