import { describe, expect } from 'vitest';
import { expectAsIfUndisturbed } from './support/control.js';
import { Gate, makePipe, temporaryCheckpoint } from './support/gate.js';
import { existsSync, rmSync } from 'node:fs';
import { appeared } from './support/files.js';
import { type Place, test } from './support/place.js';
import type { Running } from './support/running.js';

const RUN = ['--steps', '40', '--batch', '64', '--seed', '31'];
/** A step takes long enough to kill somebody in it. */
const LONG_STEPS = ['--steps', '4', '--batch', '4500', '--seed', '32'];
const REMOTE = ['--threads', '0', '--out', 'run', '--checkpoint-every'];

async function kill(coordinator: Running): Promise<void> {
  expect(coordinator.signal('SIGKILL'), 'the coordinator still ran').toBe(true);
  expect((await coordinator.ended).signal).toBe('SIGKILL');
}

/** Resumes the run, which goes on after `step` with workers that find back by themselves. */
async function expectSuccess(
  place: Place,
  step: number,
  run: readonly string[],
  workers: readonly Running[],
): Promise<void> {
  // The few steps that are left would be over before the last worker has tried again.
  const { running } = await place.resumed(['--workers', String(workers.length)]);
  expect(await running.event('start')).toMatchObject({ resumedStep: step });
  await expectAsIfUndisturbed(await running.event('result'), run);
  expect((await running.ended).code).toBe(0);
  for (const worker of workers) {
    await worker.line(/^The connection to ws:\S+ was lost; trying again\.$/);
    expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
  }
}

function checkpoint(coordinator: Running, step: number): Promise<unknown> {
  return coordinator.event('checkpoint', (event) => event.step === step);
}

describe.concurrent('a coordinator is killed and resumed, and its workers find back', () => {
  test('in the handshake', async ({ place }) => {
    const { running, url } = await place.coordinator([...RUN, ...REMOTE, '10']);
    const proxy = await place.proxy(url);
    const caught = proxy.hold('pieces', 13);
    const worker = place.worker(proxy.url);
    await Promise.all([caught, checkpoint(running, 10)]);
    const welcome = proxy.hold('welcome');
    expect(proxy.cut()).toBeGreaterThan(0);
    const held = await welcome;
    await kill(running);
    expect([proxy.count('hello'), proxy.count('welcome')]).toEqual([2, 1]);
    held.release();
    await expectSuccess(place, 10, RUN, [worker]);
  });

  test('while it sends a shard', async ({ place }) => {
    const { running, url } = await place.coordinator([...RUN, ...REMOTE, '10']);
    const [first, second] = [await place.proxy(url), await place.proxy(url)];
    const caught = first.hold('pieces', 13);
    const worker = place.worker(first.url);
    await Promise.all([caught, checkpoint(running, 10)]);
    const shard = second.hold('shard');
    const env = { DTRAIN_CACHE_DIR: place.at('empty') };
    const newcomer = place.start(['worker', second.url, '--threads', '1'], { env });
    expect(await (await shard).half(), 'a part of it came').toBeGreaterThan(0);
    await kill(running);
    expect([second.count('fetch'), second.count('ready')]).toEqual([1, 0]);
    await expectSuccess(place, 10, RUN, [worker, newcomer]);
  });

  test('while its worker computes', async ({ place }) => {
    const { running, url } = await place.coordinator([...LONG_STEPS, ...REMOTE, '1']);
    const proxy = await place.proxy(url);
    const work = proxy.hold('work', 2);
    const worker = place.worker(proxy.url);
    const held = await work;
    await checkpoint(running, 2);
    held.release();
    const killed = kill(running);
    expect([proxy.count('work', 2), proxy.count('pieces', 2)]).toEqual([1, 0]);
    await killed;
    await expectSuccess(place, 2, LONG_STEPS, [worker]);
  });

  test('in the middle of a reply', async ({ place }) => {
    const { running, url } = await place.coordinator([...RUN, ...REMOTE, '10']);
    const proxy = await place.proxy(url);
    const reply = proxy.hold('pieces', 13);
    const worker = place.worker(proxy.url);
    const held = await reply;
    await checkpoint(running, 10);
    expect(await held.half(), 'half of it came').toBeGreaterThan(100_000);
    await kill(running);
    expect(proxy.count('pieces', 13)).toBe(0);
    await expectSuccess(place, 10, RUN, [worker]);
  });

  test('between two steps', async ({ place }) => {
    const { running, url } = await place.coordinator([...RUN, ...REMOTE, '10']);
    const proxy = await place.proxy(url);
    const weights = proxy.hold('weights', 13);
    const worker = place.worker(proxy.url);
    const held = await weights;
    await checkpoint(running, 10);
    await kill(running);
    expect([proxy.count('pieces', 12), proxy.count('work', 13)]).toEqual([1, 0]);
    held.release();
    await expectSuccess(place, 10, RUN, [worker]);
  });

  test('while it writes a checkpoint', async ({ place }) => {
    const { running, url } = await place.coordinator([...RUN, ...REMOTE, '10']);
    const proxy = await place.proxy(url);
    const caught = proxy.hold('pieces', 13);
    const worker = place.worker(proxy.url);
    const held = await caught;
    await checkpoint(running, 10);
    const gate = await Gate.at(temporaryCheckpoint(place, 20, running));
    held.release();
    await gate.reached;
    await kill(running);
    gate.leave();
    await expectSuccess(place, 10, RUN, [worker]);
    expect(existsSync(gate.file), 'what was left of it is gone').toBe(false);
  });
});

describe.concurrent('a coordinator is killed after its last step and resumed', () => {
  /** Its worker leaves first: what is left to do needs nobody. */
  async function expectEnd(place: Place, worker: Running): Promise<void> {
    worker.signal('SIGTERM');
    expect((await worker.ended).code).toBe(0);
    const result = await place.result(['coordinator', '--resume', 'run']);
    await expectAsIfUndisturbed(result, RUN);
    expect(existsSync(place.at('run/summary.json'))).toBe(true);
  }

  test('while it writes the model', async ({ place }) => {
    const gate = await Gate.at(place.at('run/weights.bin.part'));
    const { running, url } = await place.coordinator([...RUN, ...REMOTE, '10']);
    const worker = place.worker(url);
    await checkpoint(running, 40);
    await gate.reached;
    await kill(running);
    gate.leave();
    await expectEnd(place, worker);
  });

  test('before it writes its summary', async ({ place }) => {
    const summary = place.at('run/summary.json.part');
    const { running, url } = await place.coordinator([...RUN, ...REMOTE, '10']);
    makePipe(summary);
    const worker = place.worker(url);
    await appeared(place.at('run/model.safetensors'));
    await kill(running);
    expect(existsSync(place.at('run/summary.json'))).toBe(false);
    rmSync(summary);
    await expectEnd(place, worker);
  });

  test('before its worker hears that the run is complete', async ({ place }) => {
    const { running, url } = await place.coordinator([...RUN, ...REMOTE, '10']);
    const proxy = await place.proxy(url);
    const done = proxy.hold('done');
    const worker = place.worker(proxy.url);
    const held = await done;
    await kill(running);
    expect(await held.half(), 'a part of it came').toBeGreaterThan(0);
    expect(proxy.count('done')).toBe(0);
    await expectEnd(place, worker);
  });
});

const MANY = ['--steps', '60', '--batch', '64', '--seed', '33'];
const KILLS = 5;
const EVERY = 4;

/** Kills the coordinator of one run again and again, each time in another step. */
async function killAgainAndAgain(place: Place, moment: string, shift: number): Promise<void> {
  const first = await place.coordinator([...MANY, ...REMOTE, String(EVERY)]);
  let { running } = first;
  const proxy = await place.proxy(first.url);
  const worker = place.worker(proxy.url);
  for (let kills = 1; kills <= KILLS; kills++) {
    const step = kills * 11 - shift;
    const saved = EVERY * Math.floor(step / EVERY);
    const held = moment === 'checkpoint' ? undefined : await proxy.hold(moment, step);
    await running.event('checkpoint', (event) => Number(event.step) >= saved);
    await kill(running);
    held?.release();
    running = (await place.resumed()).running;
    const { resumedStep } = await running.event('start');
    if (held) expect([held.step, resumedStep]).toEqual([step, saved]);
    else expect(Number(resumedStep)).toBeGreaterThanOrEqual(saved);
  }
  await expectAsIfUndisturbed(await running.event('result'), MANY);
  expect((await running.ended).code).toBe(0);
  const { code, stdout } = await worker.ended;
  expect(code).toBe(0);
  expect(stdout.match(/^Joined /gm)).toHaveLength(KILLS + 1);
}

describe.concurrent(`a coordinator is killed in ${KILLS} steps and resumed each time`, () => {
  for (const [index, moment] of ['weights', 'work', 'pieces', 'checkpoint'].entries()) {
    test(`at their ${moment}`, async ({ place }) => {
      await killAgainAndAgain(place, moment, 2 * index);
    });
  }
});
