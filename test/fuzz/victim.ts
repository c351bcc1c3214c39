import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Place } from '../e2e/support/place.js';
import type { Ended, Running } from '../e2e/support/running.js';
import type { TinyRun } from '../e2e/support/tiny-run.js';
import { expectShardsAlone } from './folders.js';
import { type HostileCoordinator, HostileServer, type ShardServer } from './hostile-coordinator.js';
import { within } from './within.js';

/** What is done to a worker that has said hello. */
export type Attack = (coordinator: HostileCoordinator, worker: Running) => Promise<void> | void;

/** A real worker, in its place, that an attacker's coordinator does something to, until it ends. */
export async function attackWorker(
  place: Place,
  attack: Attack,
  shards?: ShardServer,
): Promise<Ended> {
  const attacks: Promise<void>[] = [];
  const begin = async (coordinator: HostileCoordinator): Promise<void> => {
    await coordinator.heard();
    await attack(coordinator, worker);
  };
  const server = await HostileServer.listen((coordinator) => {
    const attacking = begin(coordinator);
    // Whoever waits for it sees the error.
    attacking.catch(() => undefined);
    attacks.push(attacking);
  }, shards);
  const worker = place.worker(server.url, ['--patience', '1s']);
  try {
    const ended = await within(worker.ended, 'the end of the worker');
    await Promise.all(attacks);
    expect(attacks.length, 'it was attacked').toBeGreaterThan(0);
    expect(ended.signal, 'it ended by itself').toBeNull();
    await expectShardsAlone(place.folder, 'cache/shards');
    return ended;
  } finally {
    server.close();
  }
}

/** Sends a shard as an honest coordinator would. */
export function honestShard({ shard }: TinyRun): ShardServer {
  return (_, response) => response.end(shard);
}

/** Makes a worker ready to compute with this module, and gives it all the work there is. */
export async function giveWork(
  coordinator: HostileCoordinator,
  { welcome, weights }: TinyRun,
  module: Uint8Array,
): Promise<void> {
  const sha256 = createHash('sha256').update(module).digest('hex');
  coordinator.say({ ...welcome, module: { ...welcome.module, sha256 } }, module);
  await coordinator.heard();
  coordinator.say({ type: 'weights', step: 0 }, weights);
  coordinator.say({ type: 'work', step: 0, first: 0, last: 1 });
}
