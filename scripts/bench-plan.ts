/**
 * `npm run bench:plan -- [--data DIR] [--workers 4] [--batch 512] [--steps 400] [--rounds 3]`: what
 * `dtrain plan` predicts for 1, 2, … workers on this machine, on loopback and through simulated slow
 * links, against what runs of these workers take and cost. On loopback steps are short: a run has five
 * times as many, since billing is by the second.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { spreadOf } from '../dist/bench/statistics.js';
import { SlowLink, type SlowLinkOptions } from './slow-link.js';
import { showSpread } from './spread.js';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    workers: { type: 'string', default: '4' },
    batch: { type: 'string', default: '512' },
    steps: { type: 'string', default: '400' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
  },
});
const most = Number(values.workers);
const folder = await mkdtemp(path.join(tmpdir(), 'dtrain-bench-plan-'));
const job = [
  ...['--batch', values.batch, '--epochs', '1000', '--price', '1/h'],
  ...(values.data === undefined ? [] : ['--data-dir', values.data]),
];
const stepsOver = (link: SlowLinkOptions | null): string[] => [
  '--steps',
  String(Number(values.steps) * (link ? 1 : 5)),
];
/** 20 ms there and back at 100 Mbit/s: two homes in one country. */
const slow: SlowLinkOptions = { latency: 0.01, bandwidth: 12.5e6 };

const children = new Set<ChildProcess>();
/** What any of them said last. */
let lastWords = '';

function dtrain(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  child.on('close', () => children.delete(child));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    lastWords = text.trim();
  });
  return child;
}

interface Prediction {
  readonly threads: number;
  readonly workers: number;
  readonly trainSeconds: number;
  readonly cost: string;
}

interface Event {
  readonly event: string;
  readonly url?: string;
  readonly trainSeconds?: number;
  readonly steps?: number;
  readonly fleets?: readonly Prediction[];
  readonly cost?: { readonly total: string | null };
}

/** Workers that join at `url`, each over a link of its own if the links are slow. */
async function join(url: string, count: number, link: SlowLinkOptions | null) {
  const port = Number(new URL(url).port);
  const links: SlowLink[] = [];
  for (let index = 0; index < count; index++) {
    const own = link === null ? undefined : await SlowLink.to(port, link);
    if (own) links.push(own);
    const address = own ? `ws://127.0.0.1:${own.port}` : url;
    const flags = ['--threads', '1', '--patience', '0s', '--price', '1/h', '--quiet'];
    dtrain(['worker', address, '--name', `worker-${index + 1}`, ...flags]).stdout.resume();
  }
  return links;
}

/** Runs a command to its end. @returns the last of its events */
async function run(
  args: readonly string[],
  urlOf: (child: ReturnType<typeof dtrain>) => Promise<string>,
  workers: number,
  link: SlowLinkOptions | null,
): Promise<Event> {
  const child = dtrain(args);
  const ended = once(child, 'close');
  let last: Event | undefined;
  let started: (url: string) => void = () => undefined;
  const announced = new Promise<string>((resolve) => {
    started = resolve;
  });
  const reading = (async () => {
    for await (const line of createInterface(child.stdout)) {
      last = JSON.parse(line) as Event;
      if (last.event === 'start') started(last.url ?? '');
    }
  })();
  const links = await join(await Promise.race([announced, urlOf(child)]), workers, link);
  await reading;
  await ended;
  for (const one of links) one.close();
  await Promise.all([...children].map((other) => once(other, 'close')));
  if (!last) throw new Error(`${args.join(' ')} ended: ${lastWords}`);
  return last;
}

/** Where a plan listens, from the line that says how to join. */
async function listeningAt(child: ReturnType<typeof dtrain>): Promise<string> {
  for await (const line of createInterface(child.stderr)) {
    const [url] = /ws:\/\/\S+/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  return new Promise<string>(() => undefined);
}

const never = (): Promise<string> => new Promise<string>(() => undefined);

async function plan(link: SlowLinkOptions | null): Promise<readonly Prediction[]> {
  const measured = ['--workers', values.workers, '--port', '0', '--seconds', values.seconds];
  const args = ['plan', '--json', '--threads', '1', ...measured, ...job, ...stepsOver(link)];
  return (await run(args, listeningAt, most, link)).fleets ?? [];
}

async function train(workers: number, link: SlowLinkOptions | null): Promise<Event> {
  const fleet = ['--threads', '0', '--workers', String(workers), '--port', '0'];
  const event = await run(
    ['coordinator', '--json', ...fleet, ...job, ...stepsOver(link)],
    never,
    workers,
    link,
  );
  await rm(path.join(folder, 'runs'), { recursive: true, force: true });
  return event;
}

console.log(
  `global batch ${values.batch}, ${values.steps} steps, ${values.rounds} rounds; load ${(loadavg()[0] ?? 0).toFixed(1)} before`,
);
console.log(
  'link      workers  planned s  taken s: median (least to most)  error of time, of all rounds     of cost, of all rounds',
);
/** Percent that a prediction is off, for each round. */
function errorsOf(planned: readonly number[], actual: readonly number[]): number[] {
  return planned.map((prediction, round) => 100 * (prediction / (actual[round] ?? NaN) - 1));
}

function show(off: readonly number[]): string {
  const all = off.map((one) => one.toFixed(0)).join(' ');
  return `${`${spreadOf(off).median.toFixed(1)} %`.padStart(7)}   ${all}`.padEnd(30);
}

const largest = { time: 0, cost: 0 };
for (const [name, link] of [
  ['loopback', null],
  ['slow', slow],
] as const) {
  const results = Array.from({ length: most }, () => ({
    planned: { time: [] as number[], cost: [] as number[] },
    actual: { time: [] as number[], cost: [] as number[] },
  }));
  for (let round = 0; round < Number(values.rounds); round++) {
    // A plan of its own for each round: the machine may be another one by then.
    const predictions = await plan(link);
    for (const [index, { planned, actual }] of results.entries()) {
      const workers = index + 1;
      const found = predictions.find((one) => one.threads === 0 && one.workers === workers);
      planned.time.push(found?.trainSeconds ?? NaN);
      planned.cost.push(Number(found?.cost));
      const taken = await train(workers, link);
      actual.time.push(taken.trainSeconds ?? NaN);
      actual.cost.push(Number(taken.cost?.total));
    }
  }
  for (const [index, { planned, actual }] of results.entries()) {
    const time = errorsOf(planned.time, actual.time);
    const cost = errorsOf(planned.cost, actual.cost);
    largest.time = Math.max(largest.time, Math.abs(spreadOf(time).median));
    largest.cost = Math.max(largest.cost, Math.abs(spreadOf(cost).median));
    console.log(
      `${name.padEnd(8)}  ${String(index + 1).padStart(7)}  ${spreadOf(planned.time).median.toFixed(2).padStart(9)}  ${showSpread(actual.time, 2).padEnd(31)}  ${show(time)}   ${show(cost)}`,
    );
  }
}
console.log(
  `largest error: time ${largest.time.toFixed(1)} %, cost ${largest.cost.toFixed(1)} %; load ${(loadavg()[0] ?? 0).toFixed(1)} after`,
);
await rm(folder, { recursive: true, force: true });
