import { describe, expect } from 'vitest';
import type { Held } from './support/lane.js';
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
  /** Work for the worker, on which the whole run waits. */
  readonly work: Held;
}

/** A coordinator and its only worker, behind a proxy. */
async function start(place: Place): Promise<Pair> {
  const { running: coordinator, url } = await place.coordinator([...RUN, ...REMOTE]);
  const proxy = await place.proxy(url);
  const work = proxy.hold('work', 10);
  const worker = place.worker(proxy.url, ['--name', 'quiet']);
  return { coordinator, worker, proxy, work: await work };
}

async function expectAction({ coordinator }: Pair, action: string, why?: RegExp): Promise<void> {
  const event = await coordinator.event('worker', (each) => each.action === action);
  expect(event.name).toBe('quiet');
  if (why) expect(event.reason).toMatch(why);
}

/** The run ends, with a worker that joined so often. */
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
const directions: readonly (readonly [title: string, silenced: readonly Side[]])[] = [
  ['to the coordinator', ['worker']],
  ['to the worker', ['coordinator']],
  ['in both directions', ['worker', 'coordinator']],
];

describe.concurrent('a silence of more than 10 s: the worker joins again', () => {
  test('of a worker that stands still', async ({ place }) => {
    const pair = await start(place);
    expect(pair.worker.signal('SIGSTOP')).toBe(true);
    pair.work.release();
    await expectAction(pair, 'lost', SILENT);
    await expectAction(pair, 'left', GONE);
    expect(pair.worker.signal('SIGCONT')).toBe(true);
    await expectSuccess(pair, 2);
  });

  test.for(directions)(
    'of a connection that stays open and loses all %s',
    async ([, silenced], { place }) => {
      const pair = await start(place);
      pair.work.release();
      pair.proxy.lose(...silenced);
      await expectAction(pair, 'lost', SILENT);
      // Whoever hears nothing ends it: both sides wait equally long.
      await expectAction(pair, 'left', /silent for 10 s|connection was lost/);
      for (const side of silenced) expect(pair.proxy.keptBack(side), side).toBeGreaterThan(0);
      await expectSuccess(pair, 2);
    },
  );
});

describe.concurrent('a silence of less than 10 s: the worker goes on where it was', () => {
  test('of a worker that stands still', async ({ place }) => {
    const pair = await start(place);
    expect(pair.worker.signal('SIGSTOP')).toBe(true);
    pair.work.release();
    await expectAction(pair, 'lost', SILENT);
    expect(pair.worker.signal('SIGCONT')).toBe(true);
    await expectAction(pair, 'back');
    await expectSuccess(pair, 1);
  });

  test.for(directions)('of a connection that holds up all %s', async ([, silenced], { place }) => {
    const pair = await start(place);
    pair.work.release();
    pair.proxy.stall(...silenced);
    await expectAction(pair, 'lost', SILENT);
    for (const side of silenced) expect(pair.proxy.keptBack(side), side).toBeGreaterThan(0);
    pair.proxy.mend();
    await expectAction(pair, 'back');
    await expectSuccess(pair, 1);
  });

  test('of a worker that answers pings but not its work', async ({ place }) => {
    const pair = await start(place);
    const answer = pair.proxy.hold('pieces', 10);
    pair.work.release();
    const passAnswer = (await answer).aside();
    await expectAction(pair, 'lost', /answers pings but makes no progress/);
    passAnswer();
    await expectAction(pair, 'back');
    await expectSuccess(pair, 1);
  });
});

test('a worker that stands still does not keep the others from ending the run', async ({
  place,
}) => {
  const { running, url } = await place.coordinator([...RUN, ...REMOTE, '--workers', '2']);
  const proxy = await place.proxy(url);
  const work = proxy.hold('work');
  const sleeper = place.worker(proxy.url, ['--name', 'sleeper']);
  const other = place.worker(url);
  const held = await work;
  expect(sleeper.signal('SIGSTOP')).toBe(true);
  held.release();
  await expectAsIfUndisturbed(await running.event('result'), RUN);
  expect((await other.ended).code).toBe(0);
  expect((await running.ended).code).toBe(0);
  expect(sleeper.signal('SIGCONT'), 'it stood still until the end').toBe(true);
  expect((await sleeper.ended).code).toBe(0);
});
