import type { ScatterDataPoint } from 'chart.js';
import { type CostReport, costOverTime } from '../cost/report.js';
import { type Chart, escaped, htmlPage, htmlTable, paragraph, plots } from '../report/page.js';
import type { LedgerRecord } from '../report/ledger-file.js';
import { epochCells, totalLines, wasteCells, workerCells } from './cost-text.js';

const COLOUR = '#1f77b4';
const parts = [
  ['computed', '#1f77b4'],
  ['waited', '#bbbbbb'],
  ['idled', '#e6ab02'],
] as const;

/** The report as a page: cost over time, accuracy against cost, each worker's share. */
export async function costPage(record: LedgerRecord, report: CostReport): Promise<string> {
  const charts = [overTime(record, report), accuracyAgainstCost(report), shares(report)];
  const { run, model, dataset } = record;
  const title = `dtrain cost ${run}`;
  const body = [
    `<h1>${escaped(title)}</h1>`,
    paragraph([`${model} on ${dataset}`, ...totalLines(report)]),
    plots(charts, 0, report.workers.length),
    '<h2>Workers</h2>',
    htmlTable(workerCells(report)),
    '<h2>Waste</h2>',
    htmlTable(wasteCells(report)),
    ...(report.epochs.length > 0 ? ['<h2>Epochs</h2>', htmlTable(epochCells(report))] : []),
  ];
  return htmlPage(title, body, charts);
}

/** `EUR`, or worker-seconds where there are no prices. */
function unitOf({ currency }: CostReport): string {
  return currency ?? 'worker-seconds';
}

function overTime({ ledger }: LedgerRecord, report: CostReport): Chart {
  const points = costOverTime(ledger).map(({ at, cost }) => ({ x: at, y: cost / 1e6 }));
  return line('Cost over time', points, 'seconds', unitOf(report));
}

function accuracyAgainstCost(report: CostReport): Chart {
  const points = report.epochs.map(({ accuracy, seconds, total }) => ({
    x: total === null ? seconds : Number(total),
    y: 100 * accuracy,
  }));
  return line('Accuracy against cost', points, unitOf(report), 'test accuracy, %');
}

/** Each worker's cost, by what its time went into; without prices its seconds. */
function shares(report: CostReport): Chart {
  const { workers } = report;
  return {
    type: 'bar',
    data: {
      labels: workers.map(({ name, total }) => (total === null ? name : `${name}: ${total}`)),
      datasets: parts.map(([part, colour]) => ({
        label: part,
        backgroundColor: colour,
        data: workers.map((worker) => {
          const { total, seconds } = worker;
          if (report.currency === null) return worker[part];
          return seconds > 0 ? (Number(total ?? 0) * worker[part]) / seconds : 0;
        }),
      })),
    },
    options: {
      indexAxis: 'y',
      animation: false,
      maintainAspectRatio: false,
      plugins: { title: { display: true, text: `Each worker's share, ${unitOf(report)}` } },
      scales: { x: { stacked: true, beginAtZero: true }, y: { stacked: true } },
    },
  };
}

function line(title: string, points: ScatterDataPoint[], x: string, y: string): Chart {
  return {
    type: 'line',
    data: {
      datasets: [
        { label: '', data: points, borderColor: COLOUR, backgroundColor: COLOUR, pointRadius: 2 },
      ],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      plugins: { title: { display: true, text: title } },
      scales: {
        x: { type: 'linear', min: 0, title: { display: true, text: x } },
        y: { title: { display: true, text: y } },
      },
    },
  };
}
