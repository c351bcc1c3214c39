import { aligned } from '../report/aligned.js';
import { expense } from '../../plan/choice.js';
import type { Coordinator, Machine } from '../../plan/machine.js';
import type { Plan, Source } from '../../plan/plan.js';
import type { Group, Prediction } from '../../plan/prediction.js';
import type { Micros } from '../cost/money.js';
import { LANES } from '../engine/ir/types.js';
import { count, duration, plural } from './text.js';

/** Fleets that a terminal shows; of more, only those that are worth a choice. */
const MOST_ROWS = 40;

const sources: Readonly<Record<Source, string>> = {
  measured: 'predicted from what was measured just now',
  recorded: 'predicted from what was measured before',
  described: 'predicted from the speeds in the fleet file, and the costs of a coordinator as shown',
  arithmetic: '6 operations for each parameter and token; communication is not counted',
};

/** A plan for a terminal. */
export function planLines(plan: Plan): string[] {
  const { predictions, front, choice } = plan;
  const shown =
    predictions.length <= MOST_ROWS
      ? predictions
      : predictions.filter((prediction) => front.has(prediction) || prediction === choice);
  const hidden = predictions.length - shown.length;
  return [
    titleOf(plan),
    '',
    ...aligned([headings(plan), ...shown.map((prediction) => cells(plan, prediction))]),
    '',
    `*  no other fleet is both faster and cheaper${hidden > 0 ? `; ${count(hidden)} others are not shown (--csv has all)` : ''}`,
    choiceLine(plan),
    ...parameterLines(plan),
  ];
}

function titleOf({ job, source, profile }: Plan): string {
  if (!job) return `A language model's training: ${sources[source]}.`;
  const { model, parameters, steps, batch } = job;
  const when = profile ? ` (${profile.date})` : '';
  return `${model}, ${count(parameters)} parameters, ${plural(steps, 'step')} of ${count(batch)} samples; ${sources[source]}${when}.`;
}

function headings({ job }: Plan): string[] {
  const steps = job ? ['ms/step', 'samples/s'] : [];
  return ['   fleet', ...steps, 'time', 'cost', 'efficiency', 'limited by'];
}

function cells(plan: Plan, prediction: Prediction): string[] {
  const { front, choice, currency } = plan;
  const { fleet, spares, step, samplesPerSecond, seconds, cost, efficiency } = prediction;
  const mark = `${prediction === choice ? '>' : ' '}${front.has(prediction) ? '*' : ' '}`;
  const idle = spares > 0 ? ` (${count(spares)} idle)` : '';
  const steps =
    step && samplesPerSecond !== null
      ? [(step.seconds * 1000).toFixed(3), count(samplesPerSecond)]
      : [];
  return [
    `${mark} ${fleet}${idle}`,
    ...steps,
    timeText(seconds),
    cost === undefined ? workText(prediction) : moneyText(cost, currency),
    `${(efficiency * 100).toFixed(1)} %`,
    limitText(prediction),
  ];
}

function limitText({ step, limit }: Prediction): string {
  if (!step) return limit;
  const share = step[limit] / step.seconds;
  return `${limit === 'serial' ? 'serial part' : limit} ${(share * 100).toFixed(0)} %`;
}

function choiceLine(plan: Plan): string {
  const { choice, predictions, budget, deadline, currency } = plan;
  const wishes = [
    ...(budget === null ? [] : [`within ${moneyText(budget, currency)}`]),
    ...(deadline === null ? [] : [`in ${timeText(deadline)}`]),
  ].join(' and ');
  if (choice) {
    const why = deadline !== null ? 'the cheapest' : 'the fastest';
    return `>  ${why}${wishes === '' ? '' : ` ${wishes}`}: ${choice.fleet}, ${timeText(choice.seconds)}, ${expenseText(choice, currency)}`;
  }
  const fastest = predictions.toSorted((one, other) => one.seconds - other.seconds)[0];
  const cheapest = predictions.toSorted((one, other) => expense(one) - expense(other))[0];
  const known = [
    ...(fastest ? [`the fastest, ${fastest.fleet}, takes ${timeText(fastest.seconds)}`] : []),
    ...(cheapest
      ? [`the cheapest, ${cheapest.fleet}, costs ${expenseText(cheapest, currency)}`]
      : []),
  ];
  return `No fleet is done ${wishes}: ${known.join('; ')}.`;
}

/** What the predictions were made from. */
function parameterLines({ coordinator, machines }: Plan): string[] {
  if (!coordinator) return [];
  const rows = [...machines.map(machineCells), coordinatorCells(coordinator)];
  const width = Math.max(...rows.map(([name]) => name.length));
  return ['', 'Parameters', ...rows.map(([name, about]) => `  ${name.padEnd(width)}  ${about}`)];
}

function machineCells({ machine, count: of }: Group): [name: string, about: string] {
  const { name, threads, microBatchSeconds, shareSeconds, link } = machine;
  const perThread = `${micros(microBatchSeconds)} a micro-batch of ${LANES} in each of ${plural(threads, 'thread')}`;
  const connection = link
    ? `, alpha ${micros(link.latency)}, beta ${nanos(link.byteSeconds)} a byte${bandwidth(link.byteSeconds)}`
    : '';
  return [
    link ? `${count(of)} ${name}` : 'this machine',
    `${perThread}${busyText(machine)}, ${micros(shareSeconds)} a share${connection}`,
  ];
}

function busyText({ sharesCores, contention }: Machine): string {
  if (!sharesCores || contention === 1) return '';
  return ` (${contention.toFixed(2)} times that with all cores busy)`;
}

function bandwidth(byteSeconds: number): string {
  return byteSeconds > 0 ? ` (${count(8e-6 / byteSeconds)} Mbit/s)` : '';
}

function coordinatorCells(coordinator: Coordinator): [name: string, about: string] {
  const { messageSeconds, byteSeconds, addSeconds, updateSeconds, leaseSeconds } = coordinator;
  return [
    'serial',
    `${micros(messageSeconds)} a message, ${nanos(byteSeconds)} a byte, ${waitText(coordinator)}${micros(addSeconds)} a piece, ${micros(updateSeconds)} an update; ${micros(leaseSeconds)} a step of one thread alone, ${micros(coordinator.leaseThreadSeconds)} more for each other; ${plural(coordinator.cores, 'core')}`,
  ];
}

/** What was seen of steps beyond the rest of the model. */
function waitText({ waits }: Coordinator): string {
  return waits
    .map(
      ({ workers, seconds }) =>
        `${micros(seconds)} beyond that with ${plural(workers, 'worker')}, `,
    )
    .join('');
}

function micros(seconds: number): string {
  return `${(seconds * 1e6).toFixed(1)} µs`;
}

function nanos(seconds: number): string {
  return `${(seconds * 1e9).toFixed(2)} ns`;
}

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Julian. */
const YEAR = 365.25 * DAY;

export function timeText(seconds: number): string {
  if (seconds >= 2 * YEAR) return `${(seconds / YEAR).toFixed(1)} years`;
  if (seconds >= 2 * DAY) return `${(seconds / DAY).toFixed(1)} days`;
  return duration(seconds);
}

/** With as many decimals as a person reads; files have all. */
export function moneyText(amount: Micros, currency: string | null): string {
  const units = Number(amount) / 1e6;
  const decimals = units >= 100 ? 2 : units >= 0.1 ? 4 : 6;
  const text = units.toLocaleString('en-US', {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return currency === null ? text : `${text} ${currency}`;
}

function workText({ workerSeconds }: Prediction): string {
  return `${timeText(workerSeconds)} of work`;
}

function expenseText(prediction: Prediction, currency: string | null): string {
  const { cost } = prediction;
  return cost === undefined ? workText(prediction) : moneyText(cost, currency);
}
