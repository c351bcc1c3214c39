import { csvLines } from '../../src/report/csv.js';
import { formatAmount } from '../../src/cost/money.js';
import type { SimulatedSize, Sweep } from './sweep.js';

/** A sweep as JSON holds it: seconds, shares of 1, money as decimal strings. */
export function simulationRecord({ sizes, saturation }: Sweep): object {
  return {
    saturation,
    sizes: sizes.map((size) => ({ ...size, cost: costText(size) })),
  };
}

type Column = readonly [name: string, of: (size: SimulatedSize) => string | number | null];

const columns: readonly Column[] = [
  ['workers', ({ workers }) => workers],
  ['step_seconds', ({ stepSeconds }) => stepSeconds],
  ['samples_per_second', ({ samplesPerSecond }) => samplesPerSecond],
  ['utilisation', ({ utilisation }) => utilisation],
  ['main_thread_busy', ({ busy }) => busy],
  ['scheduling_seconds', ({ scheduling }) => scheduling],
  ['wasted', ({ wasted }) => wasted],
  ['failures', ({ failures }) => failures],
  ['steps', ({ steps }) => steps],
  ['train_seconds', ({ trainSeconds }) => trainSeconds],
  ['cost', costText],
];

/** A sweep as comma-separated values, a row for each size. */
export function simulationCsv({ sizes }: Sweep): string[] {
  const rows = sizes.map((size) => columns.map(([, of]) => of(size)));
  return csvLines([columns.map(([name]) => name), ...rows]);
}

function costText({ cost }: SimulatedSize): string | null {
  return cost === undefined ? null : formatAmount(cost);
}
