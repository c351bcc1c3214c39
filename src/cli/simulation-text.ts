import { aligned } from '../report/aligned.js';
import type { Basis } from '../../plan/basis.js';
import type { SimulatedSize, Sweep } from '../../plan/simulation/sweep.js';
import { moneyText, timeText } from './plan-text.js';
import { count, plural } from './text.js';

/** A simulated fleet's scaling for a terminal. */
export function simulationLines(
  { job, local }: Pick<Basis, 'job' | 'local'>,
  sweep: Sweep,
  currency: string,
): string[] {
  const { model, parameters, steps, batch } = job;
  const own = local ? ` and ${plural(local.threads, 'thread')} of the coordinator's own` : '';
  return [
    `${model}, ${count(parameters)} parameters, ${plural(steps, 'step')} of ${count(batch)} samples; the coordinator's scheduler on simulated workers${own}.`,
    '',
    ...aligned([headings, ...sweep.sizes.map((size) => cells(size, currency))]),
    '',
    saturationLine(sweep),
  ];
}

const headings = [
  'workers',
  'steps/s',
  'samples/s',
  'workers compute',
  'main thread busy',
  'deciding',
  'redone',
  'failures',
  'time',
  'cost',
];

function cells(size: SimulatedSize, currency: string): string[] {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return [
    count(size.workers),
    (1 / size.stepSeconds).toFixed(1),
    count(size.samplesPerSecond),
    percent(size.utilisation),
    percent(size.busy),
    `${(size.scheduling * 1000).toFixed(2)} ms`,
    percent(size.wasted),
    count(size.failures),
    timeText(size.trainSeconds),
    size.cost === undefined ? '-' : moneyText(size.cost, currency),
  ];
}

const limits = {
  serial: "the coordinator's main thread, which sends and adds up for each worker",
  link: 'the time on the links, which grows no shorter with more of them',
  compute: 'the shares, which are too small to divide further',
};

function saturationLine({ sizes, saturation }: Sweep): string {
  if (saturation) {
    return `One coordinator is saturated with ${plural(saturation.workers, 'worker')} here: what limits more of them is ${limits[saturation.limit]}.`;
  }
  const most = sizes.at(-1)?.workers ?? 0;
  return `One coordinator is not saturated with ${plural(most, 'worker')} here.`;
}
