/**
 * `npm run soak -- --minutes 30 --workers 8 --fault-every 15`: a coordinator and workers, real
 * processes, to which a fault happens every so many seconds. Reports the faults, the goodput (steps
 * that count, a second) against the rate before the first fault, every process's memory, and
 * whether the weights are those of an undisturbed run.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Goodput } from './goodput.js';
import { Link } from './link.js';
import { type Memory, Process } from './processes.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    workers: { type: 'string', default: '8' },
    'fault-every': { type: 'string', default: '15' },
    seed: { type: 'string', default: '1' },
  },
});
const minutes = Number(values.minutes);
const workerCount = Number(values.workers);
const faultEvery = Number(values['fault-every']);
if (!(minutes > 0) || !(workerCount >= 1) || !(faultEvery > 0)) {
  throw new Error('--minutes, --workers and --fault-every must be numbers above 0.');
}

/** The weights after a step must not depend on how many steps there are in all. */
const TRAINING = ['--batch', '256', '--lr', '0.001', '--schedule', 'constant', '--warmup', '0'];
const folder = mkdtempSync(path.join(tmpdir(), 'dtrain-soak-'));
const run = path.join(folder, 'run');
const began = performance.now();
const seconds = (): number => (performance.now() - began) / 1000;
const goodput = new Goodput();
const memories: Memory[] = [];
const counts = new Map<string, number>();
const unexpected: string[] = [];
let random = Number(values.seed);

function dice(sides: number): number {
  random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((random / 2 ** 32) * sides);
}

/** Keeps what is known of a process that is over or about to be. */
function retire(process: Process): void {
  process.look();
  if (process.memory) memories.push(process.memory);
}

/** An error, or a line of a stack trace, is no part of a good run. */
function noteTrouble(name: string, line: string): void {
  if (line.startsWith('error:') || line.includes('    at ')) unexpected.push(`${name}: ${line}`);
}

// --- the coordinator

interface Event {
  readonly event: string;
  readonly url?: string;
  readonly weightsSha256?: string;
  readonly steps?: number;
}

let result: Event | undefined;
let port = 0;

/** Starts or resumes the coordinator, and waits until it listens. */
async function startCoordinator(args: readonly string[]): Promise<Process> {
  let listening: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    listening = resolve;
  });
  const child = new Process('coordinator', ['coordinator', '--json', ...args], (line) => {
    if (!line.startsWith('{')) {
      noteTrouble('coordinator', line);
      return;
    }
    const event = JSON.parse(line) as Event;
    if (event.event === 'start') {
      port = Number(new URL(event.url ?? '').port);
      goodput.disturb(seconds());
      listening();
    } else if (event.event === 'result') result = event;
    else if (event.event === 'worker') goodput.disturb(seconds());
  });
  await Promise.race([
    ready,
    child.ended.then(() => {
      throw new Error(`The coordinator ended before it listened: ${unexpected.join(' ')}`);
    }),
  ]);
  return child;
}

async function resumeCoordinator(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  retire(coordinator);
  coordinator.signal(signal);
  await coordinator.ended;
  coordinator = await startCoordinator(['--resume', run]);
}

function damageNewestCheckpoint(): void {
  const checkpoints = path.join(run, 'checkpoints');
  const newest = readdirSync(checkpoints)
    .filter((name) => name.endsWith('.ckpt'))
    .sort()
    .at(-1);
  if (newest === undefined) return;
  const file = path.join(checkpoints, newest);
  const bytes = readFileSync(file);
  const at = dice(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << dice(8));
  writeFileSync(file, bytes);
}

// --- the workers; the first few are behind cables that faults can befall

const workers: Process[] = [];
const links: Link[] = [];

function startWorker(index: number): void {
  const name = `worker-${index}`;
  const address = `127.0.0.1:${links[index]?.port ?? port}`;
  const args = ['worker', address, '--threads', '1', '--name', name];
  workers[index] = new Process(name, args, (line) => {
    noteTrouble(name, line);
  });
}

async function replaceWorker(index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const worker = workers[index];
  if (!worker) return;
  retire(worker);
  worker.signal(signal);
  await worker.ended;
  await pause(1000);
  startWorker(index);
}

async function pauseWorker(index: number, milliseconds: number): Promise<void> {
  workers[index]?.signal('SIGSTOP');
  await pause(milliseconds);
  workers[index]?.signal('SIGCONT');
}

const faults: Record<string, () => Promise<void>> = {
  'worker killed': () => replaceWorker(dice(workerCount), 'SIGKILL'),
  'worker left': () => replaceWorker(dice(workerCount), 'SIGTERM'),
  'worker paused for 0.2 s': () => pauseWorker(dice(workerCount), 200),
  'worker paused for 4 s': () => pauseWorker(dice(workerCount), 4_000),
  'connection cut': () => {
    links[dice(links.length)]?.cut();
    return Promise.resolve();
  },
  'cable pulled for 4 s': async () => {
    const link = links[dice(links.length)];
    link?.pull();
    await pause(4_000);
    link?.plug();
  },
  'coordinator killed': () => resumeCoordinator('SIGKILL'),
  'coordinator stopped': () => resumeCoordinator('SIGTERM'),
  'coordinator killed, newest checkpoint damaged': async () => {
    coordinator.signal('SIGKILL');
    await coordinator.ended;
    damageNewestCheckpoint();
    await resumeCoordinator('SIGKILL');
  },
};

// --- the run

/** Steps that metrics.jsonl tells of; it has a line for every tenth. */
function stepsSoFar(): number {
  const lines = readFileSync(path.join(run, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
  for (const line of lines.slice(-3).reverse()) {
    try {
      return (JSON.parse(line) as { step: number }).step;
    } catch {
      // The last line is still being written.
    }
  }
  return 0;
}

const freeAfter = Math.min(60, minutes * 12);
const warmUp = Math.min(15, minutes * 3);
let coordinator = await startCoordinator([
  ...['--threads', '0', '--port', '0', '--out', run, '--epochs', '10000'],
  ...['--checkpoint-every', '5s', ...TRAINING],
]);
const watch = setInterval(() => {
  try {
    goodput.sample(seconds(), stepsSoFar());
  } catch {
    // There is no file yet.
  }
}, 250);
const memoryWatch = setInterval(() => {
  for (const process of [coordinator, ...workers]) process.look();
}, 5_000);

for (let index = 0; index < Math.min(3, workerCount); index++) links.push(await Link.to(port));
for (let index = 0; index < workerCount; index++) startWorker(index);

console.log(
  `${freeAfter.toFixed(0)} s without faults, of which the last ${(freeAfter - warmUp).toFixed(0)} s count.`,
);
await pause(freeAfter * 1000);
const names = Object.keys(faults);
let next = 0;
while (seconds() < minutes * 60) {
  // Each kind in turn, so that a short soak has them all.
  const name = names[next++ % names.length] ?? '';
  console.log(`${seconds().toFixed(1).padStart(7)} s  ${name}`);
  goodput.disturb(seconds());
  counts.set(name, (counts.get(name) ?? 0) + 1);
  const due = pause(faultEvery * 1000);
  await faults[name]?.();
  goodput.disturb(seconds());
  await due;
}
const end = seconds();
clearInterval(watch);
clearInterval(memoryWatch);
for (const process of [coordinator, ...workers]) retire(process);
coordinator.signal('SIGTERM');
await coordinator.ended;
for (const worker of workers) worker.signal('SIGTERM');
await Promise.all(workers.map((worker) => worker.ended));
for (const link of links) link.close();

// --- the report

const { steps = 0, weightsSha256 = 'none' } = result ?? {};
console.log(`\nThe same ${steps} steps without a fleet and without faults …`);
let control: Event | undefined;
const train = ['train', '--json', '--out', path.join(folder, 'control'), '--epochs', '10000'];
await new Process('control', [...train, '--steps', String(steps), ...TRAINING], (line) => {
  if (line.startsWith('{"event":"result"')) control = JSON.parse(line) as Event;
}).ended;
rmSync(folder, { recursive: true, force: true });

const free = goodput.rate(warmUp, freeAfter, () => true);
const quiet = goodput.rate(freeAfter, end, (from, to) => goodput.quiet(from, to));
const overall = goodput.rate(freeAfter, end, () => true);
const share = (rate: number): string =>
  `${rate.toFixed(1)} steps/s, ${((100 * rate) / free).toFixed(1)} %`;
console.log(
  `\n${workerCount} workers, ${(end / 60).toFixed(1)} minutes, a fault every ${faultEvery} s, ${steps} steps`,
);
console.log('\nfaults');
for (const [name, count] of counts) console.log(`  ${String(count).padStart(4)}  ${name}`);
console.log('\ngoodput');
console.log(`  before the first fault                     ${share(free)}`);
console.log(`  no fault or repair within the last second  ${share(quiet)}`);
console.log(`  in all, repeated steps not counted         ${share(overall)}`);
console.log('\nmemory of processes, MB from 10 s after the start to the end');
for (const { name, start, end, seconds } of memories) {
  const growth = `${start.toFixed(0).padStart(4)} -> ${end.toFixed(0).padStart(4)}`;
  console.log(`  ${name.padEnd(12)} ${growth}  in ${seconds.toFixed(0)} s`);
}
const same = control?.weightsSha256 === weightsSha256;
console.log(
  `\nweights ${weightsSha256}\ncontrol ${control?.weightsSha256 ?? 'none'}: ${same ? 'the same' : 'NOT THE SAME'}`,
);
for (const line of unexpected) console.log(`unexpected: ${line}`);
if (!same || unexpected.length > 0) process.exitCode = 1;
