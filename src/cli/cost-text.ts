import { aligned } from '../report/aligned.js';
import type { CostReport, Expense, WasteKind, WorkerReport } from '../cost/report.js';
import { priceText, readPrice } from '../cost/price.js';
import { count, percent } from './text.js';

/** The texts of `dtrain cost` that its terminal and its page share. */

const seconds = (value: number): string => value.toFixed(1);
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

type Column = readonly [heading: string, of: (worker: WorkerReport) => string];

const columns: readonly Column[] = [
  ['worker', ({ name }) => name],
  ['threads', ({ threads }) => String(threads)],
  ['price', ({ price }) => (price ? priceText(readPrice(price)) : '-')],
  ['there, s', (worker) => seconds(worker.seconds)],
  ['computed', ({ computed }) => seconds(computed)],
  ['waited', ({ waited }) => seconds(waited)],
  ['idle', ({ idled }) => seconds(idled)],
  ['samples', ({ samples }) => count(samples)],
  ['MB sent', ({ sent }) => megabytes(sent)],
  ['received', ({ received }) => megabytes(received)],
  ['billed, s', ({ billed }) => (billed === null ? '-' : count(billed))],
  ['cost', ({ total }) => total ?? '-'],
];

/** A row of headings, and one for each worker. */
export function workerCells({ workers }: CostReport): string[][] {
  const rows = workers.map((worker) => columns.map(([, of]) => of(worker)));
  return [columns.map(([heading]) => heading), ...rows];
}

const wasteNames: Readonly<Record<WasteKind, string>> = {
  waiting: 'waiting for others and for messages',
  idle: 'without a share of the steps',
  duplicated: 'computed twice',
  lost: 'lost to faults',
};

/** A row of headings, and one for each kind of waste. */
export function wasteCells({ waste }: CostReport): string[][] {
  const kinds = Object.keys(wasteNames) as WasteKind[];
  return [
    ['of the time there', 's', 'share', 'cost'],
    ...kinds.map((kind) => {
      const { seconds: time, share, total } = waste[kind];
      return [wasteNames[kind], seconds(time), percent(share), total ?? '-'];
    }),
  ];
}

/** A row of headings, and one for each epoch. */
export function epochCells({ epochs }: CostReport): string[][] {
  return [
    ['epoch', 'test accuracy', 'worker-s', 'cost so far'],
    ...epochs.map(({ epoch, accuracy, seconds: time, total }) => [
      String(epoch),
      percent(accuracy),
      seconds(time),
      total ?? '-',
    ]),
  ];
}

export function totalLines(report: CostReport): string[] {
  const { currency, rates, unpriced, starts } = report;
  const one = (expense: Expense | null, unit: string): string[] =>
    expense ? [`${expenseText(expense, currency)} for ${unit}`] : [];
  const each = [
    ...one(report.perEpoch, 'an epoch'),
    ...one(report.perMillionSamples, 'a million samples'),
    ...one(report.perPercent, 'a percent of test accuracy above chance'),
  ];
  const converted = Object.entries(rates).map(([code, rate]) => `1 ${code} = ${rate} ${currency}`);
  return [
    `${expenseText(report, currency)} in all${currency === null ? '; nobody said what anything costs' : ''}.`,
    ...(each.length > 0 ? [`${each.join('; ')}.`] : []),
    ...(unpriced.length > 0 ? [`Without ${unpriced.join(', ')}, whose price is not known.`] : []),
    ...(converted.length > 0 && currency !== null
      ? [`Converted with ${converted.join(', ')}.`]
      : []),
    `Begun ${starts.map(({ date, step }) => (step === 0 ? date : `${date} (step ${step})`)).join(', ')}.`,
  ];
}

/** `0.0123 EUR (370.1 worker-seconds)` */
function expenseText({ seconds: time, total }: Expense, currency: string | null): string {
  const workerSeconds = `${time.toFixed(time < 10 ? 2 : 1)} worker-seconds`;
  return total === null ? workerSeconds : `${total} ${currency} (${workerSeconds})`;
}

/** The report as lines for a terminal. */
export function costLines(report: CostReport): string[] {
  const { epochs } = report;
  return [
    ...aligned(workerCells(report)),
    '',
    ...aligned(wasteCells(report)),
    ...(epochs.length > 0 ? ['', ...aligned(epochCells(report))] : []),
    '',
    ...totalLines(report),
  ];
}
