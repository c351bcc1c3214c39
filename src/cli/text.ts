import type { RunCost } from '../cost/summary.js';
import type { PlannedResult } from '../report/planned-result.js';
import { engineText } from '../engine/engine-text.js';
import type {
  EpochEvent,
  ProfileEvent,
  Progress,
  ResultEvent,
  StartEvent,
  WorkerEvent,
} from '../events.js';

const number = new Intl.NumberFormat('en-US');

export function count(value: number): string {
  return number.format(Math.round(value));
}

/** A share of 1 as `99.17 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** `1 thread`, `2 threads` */
export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? '' : 's'}`;
}

/** Seconds as `9.4 s`, `4:07` or `1:02:07`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

export function startLines(event: StartEvent): string[] {
  const held = event.validationSamples > 0 ? `, ${count(event.validationSamples)} held out` : '';
  return [
    `${event.run}: ${event.model}, ${count(event.parameters)} parameters, ${plural(event.steps, 'step')} of ${event.batch}`,
    `${event.dataset} from ${event.datasetSource}: ${plural(event.trainSamples, 'sample')} to train${held}, ${count(event.testSamples)} to test`,
    ...(event.augment === undefined ? [] : [`images augmented: ${event.augment}`]),
    `${engineText(event.engine, event.engineNote, event.arithmetic)}, ${event.threads > 0 ? plural(event.threads, 'thread') : 'remote workers only'}`,
    ...(event.resumedStep === undefined
      ? []
      : [`resumed after ${plural(event.resumedStep, 'step')}`]),
  ];
}

export function epochLine(event: EpochEvent, epochs: number): string {
  return [
    `epoch ${event.epoch}/${epochs}`,
    `loss ${event.trainLoss.toFixed(4)}`,
    `train ${percent(event.trainAccuracy)}`,
    ...(event.validationAccuracy === undefined
      ? []
      : [`validation ${percent(event.validationAccuracy)}`]),
    `test ${percent(event.testAccuracy)}`,
    duration(event.seconds),
    `${count(event.samplesPerSecond)} samples/s`,
  ].join('  ');
}

export function workerLine(event: WorkerEvent): string {
  const { name, reason = 'it left' } = event;
  const now = `${plural(event.workers, 'worker')} now`;
  switch (event.action) {
    case 'joined':
      return `${name} joined with ${plural(event.threads, 'thread')}; ${now}.`;
    case 'left':
      return `${name} is gone: ${reason}; ${now}.`;
    case 'lost':
      return `${name} is not waited for: ${reason}, so others do its share; ${now}.`;
    case 'back':
      return `${name} is back; ${now}.`;
    case 'spare':
      return `${name} is a spare for now: ${reason}.`;
    case 'working':
      return `${name} has a share of the steps again: ${reason}.`;
  }
}

export function profileLines({ step, peakGflops, kernels }: ProfileEvent): string[] {
  const ms = (seconds: number): string => `${(seconds * 1000).toFixed(3)} ms`;
  const parts = [
    `gathering samples ${ms(step.gather)}`,
    `gradients ${ms(step.compute)}`,
    `adding them ${ms(step.reduce)}`,
    `the optimizer ${ms(step.update)}`,
    `broadcasting weights ${ms(step.broadcast)}`,
    `waiting ${ms(step.wait)}`,
  ];
  const stepLine = `A step took ${ms(step.seconds)}: ${parts.join(', ')}.`;
  if (peakGflops === undefined) return [stepLine];
  const whole = kernels.reduce((sum, { microseconds }) => sum + microseconds, 0);
  const row = (name: string, microseconds: number, gflops: number | undefined): string =>
    [
      name.padEnd(20),
      microseconds.toFixed(2).padStart(9),
      percent(microseconds / whole).padStart(9),
      gflops === undefined ? '' : gflops.toFixed(1).padStart(9),
      gflops === undefined ? '' : `${((100 * gflops) / peakGflops).toFixed(0)} %`.padStart(9),
    ]
      .join(' ')
      .trimEnd();
  return [
    stepLine,
    `A micro-batch's gradients in one thread: ${whole.toFixed(1)} µs; this core multiplies and adds at most ${peakGflops.toFixed(1)} GFLOP/s.`,
    'kernel                      µs     share   GFLOP/s   of most',
    ...kernels.map(({ name, microseconds, gflops }) => row(name, microseconds, gflops)),
  ];
}

const ends = {
  budget: 'ended by its budget',
  deadline: 'ended by its deadline',
  targetAccuracy: 'ended at its target accuracy',
} as const;

function endOf({ limit }: ResultEvent): string {
  return limit === undefined ? 'stopped' : ends[limit];
}

export function resultLines(event: ResultEvent): string[] {
  const how = event.outcome === 'complete' ? 'after' : `${endOf(event)} after`;
  const time = `${plural(event.steps, 'step')} in ${duration(event.trainSeconds)}`;
  return [
    `Test accuracy ${percent(event.testAccuracy)}, loss ${event.testLoss.toFixed(4)}; ${how} ${time}, ${count(event.samplesPerSecond)} samples/s.`,
    `Weights SHA-256 ${event.weightsSha256}${event.arithmetic === 'approximate' ? ' (approximate: other fleets come near them, but not to the same bits)' : ''}`,
    ...costLine(event.cost),
    ...(event.planned ? [plannedLine({ ...event, planned: event.planned })] : []),
    `Saved in ${event.runDir}`,
    ...(event.resume === undefined ? [] : ['Go on with:', `  ${event.resume}`]),
  ];
}

function costLine({ currency, total, workers }: RunCost): string[] {
  if (currency === null) return [];
  const each = workers.map(({ name, total: own }) => `${name} ${own ?? 'without a price'}`);
  return [`Cost ${total} ${currency}${each.length > 1 ? `: ${each.join(', ')}` : ''}`];
}

/** What was planned for a run, and what came of it. */
export function plannedLine({ planned, trainSeconds, wallSeconds, cost }: PlannedResult): string {
  const off = (actual: number, predicted: number): string => {
    const share = (100 * (actual - predicted)) / predicted;
    return `${share < 0 ? '-' : '+'}${Math.abs(share).toFixed(1)} %`;
  };
  const part = (name: string, predicted: number, actual: number): string =>
    `${name} ${duration(predicted)} planned, ${duration(actual)} taken (${off(actual, predicted)})`;
  const [money, paid] = [planned.cost, cost.total];
  const spent =
    money === null || paid === null
      ? ''
      : `; ${money} ${planned.currency ?? ''} planned, ${paid} ${cost.currency ?? ''} spent (${off(Number(paid), Number(money))})`;
  return `The plan for ${planned.fleet}: ${part('steps', planned.trainSeconds, trainSeconds)}; ${part('in all', planned.seconds, wallSeconds)}${spent}.`;
}

/** One line for a terminal, of fewer than `columns` characters: what does not fit is left out. */
export function progressLine(progress: Progress, columns: number): string {
  const items = [
    `epoch ${progress.epoch}/${progress.epochs}`,
    `step ${progress.step}/${progress.steps}`,
    `loss ${progress.loss.toFixed(4)}`,
    `${count(progress.samplesPerSecond)} samples/s`,
    ...(progress.workers > 0 ? [plural(progress.workers, 'worker')] : []),
    `${duration(progress.secondsLeft)} left`,
    ...(progress.cost ? [spentText(progress.cost)] : []),
  ];
  while (items.join('  ').length >= columns && items.length > 1) items.pop();
  const room = Math.min(30, columns - items.join('  ').length - 5);
  if (room >= 5) items.splice(2, 0, `[${barOf(progress.step / progress.steps, room)}]`);
  return items.join('  ');
}

/** Money as people read it: two decimals, or two figures if it is less than that shows. */
function spentText({ currency, spent, predicted }: NonNullable<Progress['cost']>): string {
  return `${money(spent)} of about ${money(predicted)} ${currency}`;
}

function money(amount: string): string {
  const value = Number(amount);
  return value >= 1 || value === 0 ? value.toFixed(2) : String(Number(value.toPrecision(2)));
}

function barOf(share: number, width: number): string {
  const full = Math.round(share * width);
  return '#'.repeat(full) + '-'.repeat(width - full);
}
