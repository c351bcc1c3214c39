import { describe, expect } from 'vitest';
import { expectAsIfUndisturbed } from './support/control.js';
import { type Place, test } from './support/place.js';
import type { Proxy } from './support/proxy.js';
import type { Running } from './support/running.js';
import type { Side } from './support/wire.js';

const RUN = ['--steps', '30', '--batch', '64', '--seed', '61'];
const REMOTE = ['--threads', '0'];

interface Pair {
  readonly coordinator: Running;
  readonly worker: Running;
  readonly proxy: Proxy;
}

/** A coordinator whose only worker, behind a proxy, has just been given work. */
async function atWork(place: Place): Promise<Pair> {
  const { running: coordinator, url } = await place.coordinator([...RUN, ...REMOTE]);
  const proxy = await place.proxy(url);
  const given = proxy.hold('work', 10);
  const worker = place.worker(proxy.url, ['--name', 'quiet']);
  (await given).release();
  return { coordinator, worker, proxy };
}

async function expectAction({ coordinator }: Pair, action: string, why?: RegExp): Promise<void> {
  const event = await coordinator.event('worker', (each) => each.action === action);
  expect(event.name).toBe('quiet');
  if (why) expect(event.reason).toMatch(why);
}

/** The run ends, with a worker that joined as often. */
async function expectSuccess({ coordinator, worker }: Pair, joins: number): Promise<void> {
  await expectAsIfUndisturbed(await coordinator.event('result'), RUN);
  const { stdout } = await coordinator.ended;
  expect(stdout.match(/"joined"/g)).toHaveLength(joins);
  expect(stdout.match(/"left"/g) ?? []).toHaveLength(joins - 1);
  const ended = await worker.ended;
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout.match(/^Joined /gm)).toHaveLength(joins);
}

const SILENT = /silent for 2 s/;
const GONE = /silent for 10 s/;

describe.concurrent('a worker that stands still', () => {
  test('for more than 10 s is cut off, and joins again when it goes on', async ({ place }) => {
    const pair = await atWork(place);
    expect(pair.worker.signal('SIGSTOP')).toBe(true);
    await expectAction(pair, 'lost', SILENT);
    await expectAction(pair, 'left', GONE);
    expect(pair.worker.signal('SIGCONT')).toBe(true);
    await expectSuccess(pair, 2);
  });
});

const lasting: readonly (readonly [title: string, lost: readonly Side[], why: RegExp])[] = [
  ['to the coordinator', ['worker'], GONE],
  ['to the worker', ['coordinator'], /silent for 10 s|connection was lost/],
  ['in both directions', ['worker', 'coordinator'], GONE],
];

describe.concurrent('a connection that stays open and carries nothing', () => {
  test.for(lasting)('%s, for good: it is made anew', async ([, lost, why], { place }) => {
    const pair = await atWork(place);
    pair.proxy.lose(...lost);
    await expectAction(pair, 'lost', SILENT);
    await expectAction(pair, 'left', why);
    for (const side of lost) expect(pair.proxy.keptBack(side), side).toBeGreaterThan(0);
    await expectSuccess(pair, 2);
  });
});
