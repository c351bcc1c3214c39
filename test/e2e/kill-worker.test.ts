import { describe, expect } from 'vitest';
import { expectAsIfUndisturbed } from './support/control.js';
import { Gate, temporaryCheckpoint } from './support/gate.js';
import { type Place, test } from './support/place.js';
import type { Proxy } from './support/proxy.js';
import type { Running } from './support/running.js';

const RUN = ['--steps', '30', '--batch', '64', '--seed', '21'];
/** A step takes long enough to kill somebody in it. */
const LONG_STEPS = ['--steps', '3', '--batch', '4500', '--seed', '22'];
const REMOTE = ['--threads', '0', '--out', 'run'];

interface Fleet {
  readonly place: Place;
  readonly coordinator: Running;
  readonly proxy: Proxy;
  readonly victim: Running;
}

/** A coordinator, and a worker behind a proxy that is told beforehand what to look out for. */
async function start<T>(
  place: Place,
  { running, url }: { running: Running; url: string },
  watch: (proxy: Proxy) => Promise<T>,
): Promise<Fleet & { readonly reached: T }> {
  const proxy = await place.proxy(url);
  const watching = watch(proxy);
  const victim = place.worker(proxy.url, ['--name', 'victim']);
  return { place, coordinator: running, proxy, victim, reached: await watching };
}

async function kill({ victim, coordinator }: Fleet, member: boolean): Promise<void> {
  expect(victim.signal('SIGKILL'), 'the victim still ran').toBe(true);
  expect((await victim.ended).signal).toBe('SIGKILL');
  if (!member) return;
  const left = await coordinator.event('worker', ({ action }) => action === 'left');
  expect(left).toMatchObject({ name: 'victim', workers: 0, reason: 'its connection was lost' });
}

/** Another worker ends the run, in the weights of one that nothing happened to. */
async function expectSuccess(fleet: Fleet, run: readonly string[], workers: number): Promise<void> {
  const { place, coordinator, proxy } = fleet;
  const successor = place.worker(proxy.url, ['--name', 'successor']);
  const result = await coordinator.event('result');
  await expectAsIfUndisturbed(result, run);
  expect(result.workers).toBe(workers);
  expect((await successor.ended).code).toBe(0);
  expect((await coordinator.ended).code).toBe(0);
}

describe.concurrent('a worker is killed', () => {
  test('in the handshake', async ({ place }) => {
    const coordinator = await place.coordinator([...RUN, ...REMOTE]);
    const fleet = await start(place, coordinator, (proxy) => proxy.hold('welcome'));
    await kill(fleet, false);
    expect(fleet.proxy.count('hello')).toBe(1);
    expect(fleet.proxy.count('welcome'), 'the answer never came').toBe(0);
    await expectSuccess(fleet, RUN, 1);
  });

  test('while it fetches a shard', async ({ place }) => {
    const coordinator = await place.coordinator([...RUN, ...REMOTE]);
    const fleet = await start(place, coordinator, (proxy) => proxy.hold('shard'));
    expect(await fleet.reached.half(), 'a part of it came').toBeGreaterThan(0);
    await kill(fleet, false);
    expect(fleet.proxy.count('fetch')).toBe(1);
    expect(fleet.proxy.count('ready')).toBe(0);
    await expectSuccess(fleet, RUN, 1);
  });

  test('while it computes', async ({ place }) => {
    const coordinator = await place.coordinator([...LONG_STEPS, ...REMOTE]);
    const fleet = await start(place, coordinator, (proxy) => proxy.pass('work', 1));
    const killed = kill(fleet, true);
    expect(fleet.proxy.count('work', 1)).toBe(1);
    await killed;
    expect(fleet.proxy.count('pieces', 1), 'it had no time to answer').toBe(0);
    await expectSuccess(fleet, LONG_STEPS, 2);
  });

  test('in the middle of its reply', async ({ place }) => {
    const coordinator = await place.coordinator([...RUN, ...REMOTE]);
    const fleet = await start(place, coordinator, (proxy) => proxy.hold('pieces', 12));
    expect(fleet.reached.step).toBe(12);
    expect(await fleet.reached.half(), 'half of it came').toBeGreaterThan(100_000);
    await kill(fleet, true);
    expect(fleet.proxy.count('pieces', 12)).toBe(0);
    await expectSuccess(fleet, RUN, 2);
  });

  test('between two steps', async ({ place }) => {
    const coordinator = await place.coordinator([...RUN, ...REMOTE]);
    const fleet = await start(place, coordinator, (proxy) => proxy.hold('weights', 12));
    await kill(fleet, true);
    expect(fleet.proxy.count('pieces', 11), 'it had answered').toBe(1);
    expect(fleet.proxy.count('work', 12), 'it had no other work').toBe(0);
    await expectSuccess(fleet, RUN, 2);
  });

  test('while the coordinator writes a checkpoint', async ({ place }) => {
    const flags = [...RUN, ...REMOTE, '--checkpoint-every', '10'];
    const coordinator = await place.coordinator(flags);
    const fleet = await start(place, coordinator, (proxy) => proxy.hold('pieces', 15));
    await coordinator.running.event('checkpoint', ({ step }) => step === 10);
    const gate = await Gate.at(temporaryCheckpoint(place, 20, coordinator.running));
    fleet.reached.release();
    await gate.reached;
    await kill(fleet, true);
    gate.open();
    await expectSuccess(fleet, RUN, 2);
  });

  test('after the last step, while the model is written', async ({ place }) => {
    const gate = await Gate.at(place.at('run/weights.bin.part'));
    const coordinator = await place.coordinator([...RUN, ...REMOTE]);
    const fleet = await start(place, coordinator, (proxy) => proxy.pass('pieces', 29));
    await gate.reached;
    await kill(fleet, true);
    gate.open();
    await expectAsIfUndisturbed(await coordinator.running.event('result'), RUN);
    expect((await coordinator.running.ended).code).toBe(0);
  });
});
